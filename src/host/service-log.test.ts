import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { ServiceLog } from "./service-log.js";

const disk = vi.hoisted(() => ({ full: false }));

vi.mock("node:fs", async (load) => {
  const fs = await load<typeof import("node:fs")>();
  return {
    ...fs,
    // As a disk does that fills up in the middle of a write.
    writeSync(file: number, bytes: Uint8Array, at: number, length: number, position: number): number {
      if (!disk.full) return fs.writeSync(file, bytes, at, length, position);
      if (at === 0 && length > 1) return fs.writeSync(file, bytes, at, length >> 1, position);
      throw new Error("ENOSPC: no space left on device, write");
    },
  };
});

const folder = mkdtempSync(join(tmpdir(), "lightcone-log-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const free = (): string => join(folder, `${files++}.log`);

function opened(
  path: string,
  lines: string[] = [],
): { log: ServiceLog; kept: ReturnType<ServiceLog["load"]> } {
  const log = new ServiceLog(path, (line) => lines.push(line));
  return { log, kept: log.load("test") };
}

/** A log of three batches of two entries each; where each ends. */
function threeBatches(path: string): number[] {
  const { log } = opened(path);
  const ends = [readFileSync(path).length];
  for (let batch = 0; batch < 3; batch++) {
    log.append(`${batch}a`);
    log.append({ batch });
    expect(log.commit()).toBeUndefined();
    ends.push(readFileSync(path).length);
  }
  log.close();
  return ends;
}

test("what was committed is there again, in its order; what was not is not", () => {
  const path = free();
  threeBatches(path);
  const { log } = opened(path);
  log.append("never committed");
  log.close();
  expect(opened(path).kept).toEqual({
    snapshot: undefined,
    entries: ["0a", { batch: 0 }, "1a", { batch: 1 }, "2a", { batch: 2 }],
  });
});

test("cut at any byte, every batch before the cut is whole, and the log goes on", () => {
  const path = free();
  const ends = threeBatches(path);
  const bytes = readFileSync(path);
  for (let length = ends[0] ?? 0; length <= bytes.length; length++) {
    writeFileSync(path, bytes);
    truncateSync(path, length);
    const lines: string[] = [];
    const { log, kept } = opened(path, lines);
    const whole = ends.filter((end) => end <= length).length - 1;
    expect(kept.entries).toHaveLength(2 * whole);
    expect(lines).toHaveLength(ends.includes(length) ? 0 : 1);
    log.append("after");
    expect(log.commit()).toBeUndefined();
    log.close();
    const again = opened(path);
    expect(again.kept.entries).toHaveLength(2 * whole + 1);
    again.log.close();
  }
});

test("a batch of which parts never reached the disk is cut off", () => {
  const path = free();
  const [, , before = 0, end = 0] = threeBatches(path);
  const bytes = readFileSync(path);
  for (let at = before; at < end; at++) {
    const torn = Uint8Array.from(bytes);
    torn.fill(0, at, at + 16);
    writeFileSync(path, torn);
    const { log, kept } = opened(path);
    expect(kept.entries).toHaveLength(4);
    log.close();
  }
});

test("a log belongs to one process at a time, and to one service", () => {
  const path = free();
  threeBatches(path);
  const { log } = opened(path);
  expect(() => opened(path)).toThrow(`process ${process.pid} uses ${path} already`);
  log.close();
  const bytes = readFileSync(path);
  expect(() => new ServiceLog(path).load("another")).toThrow(
    `${path} cannot keep the calls of another: it keeps the calls of "test"`,
  );
  expect(readFileSync(path)).toEqual(bytes);
  opened(path).log.close();
});

test.each([
  ["a folder", () => folder],
  ["a device", () => "/dev/full"],
  [
    "something else",
    () => {
      const path = free();
      writeFileSync(path, "precious, and certainly no log");
      return path;
    },
  ],
])("%s is refused by name, and left as it was", (_what, place) => {
  expect(() => opened(place())).toThrow(/cannot (keep the calls of test|be used): /);
});

test("a damaged batch with others after it is refused, wherever the damage is", () => {
  const path = free();
  const [first = 0, second = 0] = threeBatches(path);
  const bytes = readFileSync(path);
  for (let at = first; at < second; at++) {
    const damaged = Uint8Array.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    writeFileSync(path, damaged);
    expect(() => opened(path)).toThrow(/damaged at byte/);
    expect(readFileSync(path)).toEqual(Buffer.from(damaged));
  }
});

test("a file that is no log is refused, and left as it is", () => {
  const path = free();
  writeFileSync(path, '{"service":{"operations":1}}');
  expect(() => opened(path)).toThrow(/not a log of a service/);
  expect(readFileSync(path, "utf8")).toBe('{"service":{"operations":1}}');
});

test("while the disk is full nothing is kept and nothing is lost", () => {
  const path = free();
  threeBatches(path);
  const { log } = opened(path);
  disk.full = true;
  log.append("does not fit");
  expect(log.commit()).toMatch(/ENOSPC/);
  expect(log.replace("nor does this")).toMatch(/ENOSPC/);
  disk.full = false;
  log.append("fits");
  expect(log.commit()).toBeUndefined();
  log.close();
  const { entries } = opened(path).kept;
  expect(entries).toHaveLength(7);
  expect(entries.at(-1)).toBe("fits");
});

test("a snapshot takes the place of what came before it", () => {
  const path = free();
  threeBatches(path);
  const { log } = opened(path);
  expect(log.wantsSnapshot).toBe(false);
  expect(log.replace({ all: 3 })).toBeUndefined();
  log.append("next");
  expect(log.commit()).toBeUndefined();
  log.close();
  expect(opened(path).kept).toEqual({ snapshot: { all: 3 }, entries: ["next"] });
});

test("a log that has grown far beyond its snapshot wants another", () => {
  const { log } = opened(free());
  for (let i = 0; i < 9; i++) {
    log.append("x".repeat(2 ** 20));
    log.commit();
  }
  expect(log.wantsSnapshot).toBe(true);
  log.replace("short");
  expect(log.wantsSnapshot).toBe(false);
});
