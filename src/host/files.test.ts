import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventLine, LINE_LENGTH_MAX, readTrace, type TraceEvent, type TraceHeader } from "../trace/index.js";
import { EventTail } from "./event-tail.js";
import { Lane } from "./lane.js";
import { FileRecorder } from "./recorder.js";
import { RunFolder } from "./run-folder.js";
import { FileStore, SAVED_LENGTH_MAX } from "./store.js";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "lightcone-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("a store keeps the last committed value, whole, and survives its process", () => {
  const path = join(folder(), "saved");
  const store = new FileStore(path);
  expect(store.load()).toBeUndefined();
  expect(store.prepare('{"n":1}')).toBeUndefined();
  expect(store.load()).toBeUndefined();
  store.commit();
  expect(store.prepare('{"n":2}')).toBeUndefined();
  expect(new FileStore(path).load()).toBe('{"n":1}');
  store.commit();
  expect(new FileStore(path, { sync: true }).load()).toBe('{"n":2}');
});

test("a save that cannot be written says why, and what was prepared before it is still kept", () => {
  const path = join(folder(), "saved");
  const store = new FileStore(path);
  store.prepare("1");
  expect(store.prepare("x".repeat(SAVED_LENGTH_MAX + 1))).toContain("at most");
  // A folder in the way stands for a disk that refuses.
  mkdirSync(`${path}.next`);
  expect(store.prepare("2")).toContain("EISDIR");
  store.commit();
  expect(store.load()).toBe("1");
});

test("a tail gives whole lines only, across torn writes and characters of several bytes", () => {
  const path = join(folder(), "events");
  writeFileSync(path, "");
  using tail = new EventTail(path);
  const lines: string[] = [];
  const bytes = Buffer.from("one\nzwölf 🌍\nthree\n");
  for (const byte of bytes) {
    appendFileSync(path, Buffer.from([byte]));
    tail.read((text) => lines.push(text));
  }
  expect(lines).toEqual(["one\n", "zwölf 🌍\n", "three\n"]);
  appendFileSync(path, "torn");
  tail.read(() => expect.unreachable());
  expect(tail.position).toBe(bytes.length);
});

test("a lane reads what a killed process left, drops the line it did not finish, and goes on with the next incarnation", () => {
  const path = join(folder(), "lane");
  const header: TraceHeader = {
    format: "lightcone-trace",
    version: 1,
    lightcone: "test",
    source: "processes",
    lab: "test",
    processes: ["P1"],
    seed: 1,
    options: {},
    faults: "",
    duration: 1,
  };
  const kinds: string[] = [];
  using lane = new Lane(path, header, "P1", {
    onEvent: (event) => kinds.push(event.kind),
    onCaughtUp: () => {},
  });
  const first = new FileRecorder(path);
  first.append({ process: "P1", number: 1, at: 10, local: 10, kind: "start", incarnation: 0 });
  first.append({ process: "P1", number: 2, at: 11, local: 11, kind: "save", saved: { n: 1 } });
  first.flush();
  appendFileSync(path, '{"process":"P1","numb');
  lane.crash(20);
  lane.crash(21);
  expect({ number: lane.number, saved: lane.saved }).toEqual({ number: 3, saved: { n: 1 } });
  using second = new FileRecorder(path);
  second.append({ process: "P1", number: 4, at: 30, local: 30, kind: "restart", incarnation: 1 });
  second.flush();
  lane.readAll();
  expect(kinds).toEqual(["start", "save", "crash", "restart"]);
  expect(readTrace(readFileSync(path, "utf8")).complete).toBe(false);
});

test("a recorder writes what was appended with the flush, and not before", () => {
  const path = join(folder(), "events");
  using recorder = new FileRecorder(path);
  const first: TraceEvent = { process: "P1", number: 1, at: 10, kind: "start", incarnation: 0 };
  const second: TraceEvent = { process: "P1", number: 2, at: 10, kind: "output", value: "zwölf" };
  recorder.append(first);
  recorder.append(second);
  expect(statSync(path).size).toBe(0);
  recorder.flush();
  expect(readFileSync(path, "utf8")).toBe(`${eventLine(first)}\n${eventLine(second)}\n`);
  expect(recorder.bytes).toBe(statSync(path).size);
});

test("an event that no trace may hold leaves nothing of its line behind", () => {
  const path = join(folder(), "events");
  using recorder = new FileRecorder(path);
  const output = (value: unknown): TraceEvent => ({
    process: "P1",
    number: 1,
    at: 10,
    kind: "output",
    value,
  });
  recorder.append(output("before"));
  expect(() => recorder.append(output("x".repeat(LINE_LENGTH_MAX)))).toThrow(/at most 1048576/);
  expect(() => recorder.append(output(1n))).toThrow(TypeError);
  // Too many bytes, yet not too many characters.
  recorder.append(output("ü".repeat(LINE_LENGTH_MAX - 100)));
  recorder.flush();
  const lines = readFileSync(path, "utf8").split("\n");
  expect(lines.map((line) => line.length)).toEqual([
    eventLine(output("before")).length,
    eventLine(output("")).length + LINE_LENGTH_MAX - 100,
    0,
  ]);
});

test("a run's folder is private and goes with the run", () => {
  const parent = folder();
  const run = RunFolder.create(parent);
  expect(statSync(run.path).mode & 0o777).toBe(0o700);
  run[Symbol.dispose]();
  expect(readdirSync(parent)).toEqual([]);
});

test("a new run clears away folders of dead runs, and no others", () => {
  const parent = folder();
  using living = RunFolder.create(parent);
  const dead = join(parent, "lc-4194301.1-abcdef");
  const foreign = join(parent, "lc-notes");
  for (const path of [dead, foreign]) mkdirSync(path);
  writeFileSync(join(dead, "c"), "");
  using second = RunFolder.create(parent);
  expect(existsSync(dead)).toBe(false);
  expect([living.path, foreign, second.path].every((path) => existsSync(path))).toBe(true);
});

test("a folder whose owner's pid was given to another process counts as dead", () => {
  const parent = folder();
  const stale = join(parent, `lc-${process.pid}.1-abcdef`);
  mkdirSync(stale);
  using _run = RunFolder.create(parent);
  expect(existsSync(stale)).toBe(process.platform !== "linux");
});

test("a runtime folder that will not do is replaced by a private one in the temporary folder, with a notice", () => {
  const before = process.env["XDG_RUNTIME_DIR"];
  onTestFinished(() => {
    if (before === undefined) delete process.env["XDG_RUNTIME_DIR"];
    else process.env["XDG_RUNTIME_DIR"] = before;
  });
  const file = join(folder(), "file");
  writeFileSync(file, "");
  const unusable = [join(folder(), "nowhere"), file, "relative", `/${"x".repeat(60)}`];
  if (process.platform === "linux") unusable.push("/proc");
  for (const path of unusable) {
    process.env["XDG_RUNTIME_DIR"] = path;
    const notices: string[] = [];
    using replaced = RunFolder.create(undefined, (line) => notices.push(line));
    expect(replaced.path.startsWith(tmpdir())).toBe(true);
    expect(statSync(replaced.path).mode & 0o777).toBe(0o700);
    expect(notices).toEqual([expect.stringContaining(path)]);
  }
  process.env["XDG_RUNTIME_DIR"] = folder();
  using used = RunFolder.create(undefined, () => expect.unreachable("nothing to say"));
  expect(used.path.startsWith(process.env["XDG_RUNTIME_DIR"])).toBe(true);
});
