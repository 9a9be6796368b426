import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { DURATION_MAX } from "../../core/index.js";
import { HostError, Mesh, ProcessHost, RunClock, type MeshUser, type Recorder } from "../../host/index.js";
import { runSettings, say, VECTOR_CLOCKS_LAYER, vectorClocksLab } from "../../labs/index.js";
import type { TraceEnd, TraceEvent, TraceHeader } from "../../trace/index.js";
import { version } from "../version.js";
import { watchDatagrams } from "./datagram-watch.js";
import { Frames, utteranceOf } from "./frames.js";
import { checkText, inUse, type Participant } from "./participant.js";
import type { ProcessSettings } from "./settings.js";
import type { Story } from "./story.js";
import { TraceFile } from "./trace-file.js";

/** So long a process that ends waits for the acknowledgements of others. Milliseconds. */
const QUIET_MS_MAX = 1_000;

/**
 * A process of the group over a transport of Lightcone: the lab's protocol on a `ProcessHost`, in a mesh that nobody
 * supervises. What happens is told to `story` from the very events that make up its trace.
 *
 * Rejects with a `UsageError` when its address or its trace file cannot be used. `onFailure`: it is over.
 */
export async function openHosted(
  settings: ProcessSettings,
  story: Story,
  onFailure: (error: Error) => void,
): Promise<Participant> {
  const { self, processes, transport, seed } = settings;
  const run = runSettings(vectorClocksLab, {
    processes,
    seed,
    options: { messages: 0, "max-delay": settings.delayMax, "max-retries": settings.retriesMax },
  });
  const frames = new Frames(processes);
  let file: TraceFile | undefined;
  let failure: Error | undefined;
  const fail = (error: Error): void => {
    failure = file?.failure ?? error;
    onFailure(failure);
  };
  const host = new ProcessHost({
    protocol: vectorClocksLab.protocol(run),
    self,
    processes,
    seed,
    // Since the machine's start, so that the traces of all processes of one machine share an axis.
    clock: new RunClock(0),
    problemOf: (from, message) => frames.problemOf(from, message),
    recorder: watched(
      () => file,
      (event) => tell(event, story, frames),
    ),
    listener: { onTrouble: (error) => story.line(error.message, "warn"), onFailure: fail },
  });
  const mesh = await openMesh(settings, userOf(host, story), (error) => refused(error, story, fail));
  try {
    // Only now: a process that is started a second time by mistake must not empty the trace of the first.
    if (settings.out !== undefined) file = new TraceFile(settings.out, headerOf(settings, run.options));
  } catch (error) {
    await mesh[Symbol.asyncDispose]();
    throw error;
  }
  host.start();
  for (const { process, address } of settings.peers) mesh.reach({ process, incarnation: 0, address });
  const watch = watchDatagrams(transport, story);

  return {
    address: mesh.address,
    say(text, to) {
      checkText(text);
      host.command(say(text, to));
    },
    async [Symbol.asyncDispose]() {
      watch[Symbol.dispose]();
      await quiet(host);
      const told = failure;
      const end = endOf(failure, host.status().timers, story.waiting);
      host[Symbol.dispose]();
      await mesh[Symbol.asyncDispose]();
      try {
        file?.end(end);
      } catch (error) {
        if (error !== told) throw error;
      }
    },
  };
}

async function openMesh(
  { transport, listen, self, processes }: ProcessSettings,
  user: MeshUser,
  onTrouble: (error: HostError) => void,
): Promise<Mesh> {
  try {
    return await Mesh.open({
      transport,
      listen,
      self,
      processes,
      incarnation: 0,
      // Keeps apart groups of different sizes; it is no secret.
      token: `lightcone process, one of ${processes.length}`,
      user,
      onTrouble,
    });
  } catch (error) {
    throw inUse("--listen", error);
  }
}

/** The host, with its comings and goings told. */
function userOf(host: ProcessHost, story: Story): MeshUser {
  const connections = new Map<string, unknown>();
  return {
    attach(peer, connection, name, delivery) {
      if (!connections.has(peer)) story.line(`${peer} is here`, "good");
      connections.set(peer, connection);
      story.peer(peer, "here");
      return host.attach(peer, connection, name, delivery);
    },
    detach(peer, connection) {
      host.detach(peer, connection);
      if (connections.get(peer) !== connection) return;
      connections.delete(peer);
      story.peer(peer, "away");
      story.line(`${peer} is away; what is for it waits`, "warn");
    },
  };
}

/** A peer says, or shows, that one of the two has lost its memory: they cannot go on together. */
function refused(error: HostError, story: Story, fail: (error: Error) => void): void {
  const peer = error.facts["peer"];
  if (error.facts["code"] === "duplicate-process" && typeof peer === "string") {
    const text = `${peer} has known another process with this id, and its messages: a process that has ended cannot come back; start the whole group anew`;
    fail(new HostError("peer-refused", text, error.facts));
    return;
  }
  story.trouble(error.message);
}

/** Hands events on to the trace file, once there is one, and to whoever looks on. */
function watched(file: () => Recorder | undefined, watch: (event: TraceEvent) => void): Recorder {
  return {
    append(event) {
      file()?.append(event);
      watch(event);
    },
    flush: () => file()?.flush(),
  };
}

function tell(event: TraceEvent, story: Story, frames: Frames): void {
  switch (event.kind) {
    case "deliver": {
      const { layer, from, sequence, message } = event;
      const arrived = layer === VECTOR_CLOCKS_LAYER ? undefined : frames.broadcastOf(message);
      if (layer === VECTOR_CLOCKS_LAYER) story.delivered(from, sequence, utteranceOf(message));
      else if (arrived !== undefined) story.arrived(arrived);
      return;
    }
    case "send": {
      const body = frames.bodyOf(event.message);
      if (body !== undefined) story.left(event.to, body);
      return;
    }
    case "drop":
      story.line(`what was for ${event.to} is lost: more waits for it than may (${event.reason})`, "bad");
      return;
    case "explain":
      story.explained(event.rule, event.terms);
      return;
    default:
      return;
  }
}

/** Waits a little for the acknowledgements of what has left, so that others need not wonder. */
async function quiet(host: ProcessHost): Promise<void> {
  const deadline = performance.now() + QUIET_MS_MAX;
  while (host.status().timers > 0 && performance.now() < deadline) await pause(10);
}

/** Quiescent: nothing was under way, and nobody here waits for anything. */
function endOf(failure: Error | undefined, timers: number, waiting: number): TraceEnd {
  if (failure !== undefined) return { stopped: "failed", detail: failure.message };
  if (timers === 0 && waiting === 0) return { stopped: "quiescent" };
  return { stopped: "interrupted", detail: "it was ended while messages were under way" };
}

function headerOf(
  { self, processes, seed, transport }: ProcessSettings,
  options: TraceHeader["options"],
): TraceHeader {
  return {
    format: "lightcone-trace",
    version: 1,
    lightcone: version(),
    source: "processes",
    lab: vectorClocksLab.id,
    processes,
    seed,
    options,
    faults: "",
    duration: DURATION_MAX,
    transport: transport.scheme,
    process: self,
  };
}
