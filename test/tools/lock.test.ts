import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root } from "../../tools/lib/run.mjs";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lightcone-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A process that takes the lock, writes "in" and, a little later, "out". */
function worker(): Promise<unknown[]> {
  const lock = pathToFileURL(join(root, "tools/lib/lock.mjs")).href;
  const program = `
    import { appendFileSync } from "node:fs";
    import { setImmediate } from "node:timers/promises";
    import { withLock } from ${JSON.stringify(lock)};
    await withLock("lock", () => {}, async () => {
      appendFileSync("log", "in ");
      for (let i = 0; i < 100; i++) await setImmediate();
      appendFileSync("log", "out ");
    });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    cwd: folder,
    stdio: "inherit",
  });
  return once(child, "close");
}

const log = () => readFileSync(join(folder, "log"), "utf8");
const hold = (owner: string) => writeFileSync(join(folder, "lock"), owner);

test("one process at a time has the lock, and the last leaves nothing behind", async () => {
  await Promise.all([worker(), worker(), worker(), worker()]);
  expect(log()).toBe("in out ".repeat(4));
  expect(existsSync(join(folder, "lock"))).toBe(false);
});

test("the lock of a process that died is taken over, by one process at a time", async () => {
  const died = spawn(process.execPath, ["-e", ""]);
  await once(died, "close");
  hold(`${died.pid} 1\n`);
  await Promise.all([worker(), worker(), worker()]);
  expect(log()).toBe("in out ".repeat(3));
});

test("a pid that now belongs to another process does not count", async () => {
  hold(`${process.pid} 1\n`);
  await worker();
  expect(log()).toBe("in out ");
});

test("a lock that nobody could have written is taken over", async () => {
  hold("");
  await worker();
  expect(log()).toBe("in out ");
});
