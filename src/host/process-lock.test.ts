import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ProcessLock } from "./process-lock.js";

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), "lightcone-lock-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "lock");
}

test("one holder at a time; whoever comes meanwhile is told who", () => {
  const path = place();
  const lock = ProcessLock.take(path, "the data");
  expect(() => ProcessLock.take(path, "the data")).toThrow(
    `process ${process.pid} uses the data already; give another, or end it`,
  );
  lock[Symbol.dispose]();
  expect(existsSync(path)).toBe(false);
  ProcessLock.take(path, "the data")[Symbol.dispose]();
});

test.each([
  ["a process that has died", "999999999 17\n"],
  ["another process with its pid", `${process.pid} 1\n`],
  ["nobody that could be told", "half a li"],
])("the lock of %s is taken over, and nothing is left beside it", (_whose, text) => {
  const path = place();
  writeFileSync(path, text);
  using _lock = ProcessLock.take(path, "the data");
  expect(readdirSync(join(path, ".."))).toEqual(["lock"]);
});

test("where nothing can be written, the error says so", () => {
  expect(() => ProcessLock.take("/proc/lock", "the data")).toThrow(/the data cannot be used: E/);
});
