import { open, readdir, rename, rm, stat } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { LightconeError, NETWORK, SECOND, UsageError } from "../core/index.js";
import { makeFolder } from "../host/index.js";
import { mergeTraces, traceChunks, TraceReader, type ReadTrace, type Trace } from "../trace/index.js";

/** Traces that nobody gave a place to; older ones make room. */
export const KEPT_TRACES_MAX = 50;

const ENDING = ".trace";
const TRACE_START = '{"format":"lightcone-trace"';
const PART_ENDING = ".trace.part";

/** Where traces go without `--out`: `$XDG_STATE_HOME/lightcone`, or a private folder in the temporary one. */
function stateFolder(): string {
  const state = process.env["XDG_STATE_HOME"];
  if (state !== undefined && state.startsWith("/")) return join(state, "lightcone");
  const home = homedir();
  if (home !== "" && home !== "/") return join(home, ".local", "state", "lightcone");
  return join(tmpdir(), `lightcone-${userInfo().uid}`);
}

/** A fresh path in the state folder, named for people: `ricart-agrawala-41-20261120-131502.trace`. */
export async function newTracePath(labId: string, seed: number): Promise<string> {
  const folder = stateFolder();
  try {
    makeFolder(folder);
  } catch (error) {
    throw unwritable(folder, error);
  }
  const now = new Date().toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return join(folder, `${labId}-${seed}-${now}-${process.pid}${ENDING}`);
}

/** Where the trace of `path` is written while its run goes on; what a killed run leaves behind keeps that name. */
export function partOf(path: string): string {
  return `${path.slice(0, -ENDING.length)}${PART_ENDING}`;
}

/** The trace of `path` is whole now. */
export async function keepWhole(path: string): Promise<void> {
  try {
    await rename(partOf(path), path);
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Refuses, with a `UsageError`, to write a trace over a file that holds something else. */
export async function checkOut(path: string): Promise<void> {
  const start = await startOf(path);
  if (start === "" || start === TRACE_START) return;
  throw new UsageError(`${path} is there and is no trace; name another file, or remove it first`);
}

/** Refuses, with a `UsageError`, to write anything else over a trace. */
export async function checkNoTrace(path: string): Promise<void> {
  if ((await startOf(path)) === TRACE_START) throw new UsageError(`${path} is a trace; name another file`);
}

/** What a file begins with; nothing for one that is not there, or is none. */
async function startOf(path: string): Promise<string> {
  try {
    await using file = await open(path, "r");
    if (!(await file.stat()).isFile()) return "";
    const { bytesRead, buffer } = await file.read(Buffer.alloc(TRACE_START.length));
    return buffer.toString("latin1", 0, bytesRead);
  } catch {
    return ""; // Not to be read: writing says what is wrong with it.
  }
}

/** The trace that was written last without `--out`; throws a `UsageError` when there is none. */
export async function latestTrace(): Promise<string> {
  const newest = (await keptTraces(ENDING))[0];
  if (newest === undefined) {
    throw new UsageError("no run to show yet; make one: lightcone run ricart-agrawala -n 4");
  }
  return newest;
}

/** Newest first. */
async function keptTraces(ending: string): Promise<readonly string[]> {
  const folder = stateFolder();
  let names: string[];
  try {
    names = await readdir(folder);
  } catch {
    return []; // No folder: nothing was ever written.
  }
  const traces = await Promise.all(
    names
      .filter((name) => name.endsWith(ending))
      .map(async (name) => {
        const path = join(folder, name);
        const { mtimeMs } = await stat(path);
        return { path, mtimeMs };
      }),
  );
  return traces.sort((a, b) => b.mtimeMs - a.mtimeMs).map(({ path }) => path);
}

/** Writes a trace, whole. */
export async function saveTrace(trace: Trace, path: string): Promise<void> {
  try {
    const file = await open(path, "w", 0o600);
    try {
      // Not `write`, which may write less than it was given and not call it an error.
      for (const chunk of traceChunks(trace)) await file.writeFile(chunk);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Writes the events of each lane to a file of its own in `folder`: `P1.trace`, …, `net.trace`. */
export async function saveLanes(trace: Trace, folder: string): Promise<void> {
  try {
    makeFolder(folder);
  } catch (error) {
    throw unwritable(folder, error);
  }
  for (const process of [...trace.header.processes, NETWORK]) {
    const events = trace.events.filter((event) => event.process === process);
    if (process === NETWORK && events.length === 0) continue;
    await saveTrace(
      { header: { ...trace.header, process }, events, end: trace.end },
      join(folder, `${process}.trace`),
    );
  }
}

/** Pushes the oldest traces out of the state folder. */
export async function pruneTraces(): Promise<void> {
  for (const ending of [ENDING, PART_ENDING]) {
    for (const old of (await keptTraces(ending)).slice(KEPT_TRACES_MAX)) await rm(old, { force: true });
  }
}

export function unwritable(path: string, error: unknown): LightconeError {
  const why = error instanceof Error ? error.message : String(error);
  return new LightconeError(
    "trace-not-written",
    `cannot write the trace to ${path}: ${why}`,
    { path },
    { cause: error },
  );
}

/** One trace from one file, or from the per-process files of one run. */
export async function openTrace(paths: readonly string[]): Promise<Trace> {
  const files: ReadTrace[] = [];
  for (const path of paths) files.push(await readFile(path));
  const [only] = files;
  if (only !== undefined && files.length === 1 && only.header.process === undefined) return only;
  return countedFromStart(mergeTraces(files));
}

/**
 * Processes that were started by hand share no beginning, so they count time from the machine's: read from the first
 * event instead. Those of a supervised run begin at its start, and stay as they are.
 */
function countedFromStart(trace: Trace): Trace {
  let first = Infinity;
  for (const { at } of trace.events) first = Math.min(first, at);
  if (!(first >= SECOND && first < Infinity)) return trace;
  const events = trace.events.map((event) => ({
    ...event,
    at: event.at - first,
    ...(event.local !== undefined && { local: event.local - first }),
  }));
  return { ...trace, events };
}

async function readFile(path: string): Promise<ReadTrace> {
  const reader = new TraceReader({ name: path });
  try {
    for await (const chunk of createReadStream(path, { encoding: "utf8", highWaterMark: 2 ** 20 })) {
      reader.push(String(chunk));
    }
  } catch (error) {
    if (error instanceof LightconeError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`cannot read the trace ${path}: ${why}`, { path }, { cause: error });
  }
  return reader.finish();
}
