import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { RotatingLog } from "./rotating-log.js";

const folder = mkdtempSync(join(tmpdir(), "lightcone-log-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("it never grows beyond its size nor its number of files, and keeps the newest lines whole", () => {
  const path = join(folder, "a.log");
  const log = new RotatingLog(path, () => {}, { bytesMax: 100, keptMax: 2 });
  for (let i = 0; i < 100; i++) log.write(`line ${i}`);
  expect(readdirSync(folder).filter((name) => name.startsWith("a.log"))).toEqual([
    "a.log",
    "a.log.1",
    "a.log.2",
  ]);
  const kept = ["a.log.2", "a.log.1", "a.log"].map((name) => join(folder, name));
  for (const file of kept) expect(statSync(file).size).toBeLessThanOrEqual(100);
  const lines = kept.flatMap((file) => readFileSync(file, "utf8").trimEnd().split("\n"));
  expect(lines).toEqual(Array.from({ length: lines.length }, (_, i) => `line ${100 - lines.length + i}`));
});

test("what it cannot write is told once, and it goes on as soon as it can", () => {
  const path = join(folder, "b.log");
  const problems: string[] = [];
  const log = new RotatingLog(path, (problem) => problems.push(problem));
  rmSync(path);
  mkdirSync(path);
  log.write("lost");
  log.write("lost, too");
  expect(problems).toEqual([expect.stringContaining(`cannot write the log ${path}`)]);
  rmdirSync(path);
  log.write("kept");
  expect(readFileSync(path, "utf8")).toBe("kept\n");
});
