import { performance } from "node:perf_hooks";
import { invariant, SECOND, type LightconeError, type ProcessId } from "../core/index.js";
import { formatFaults, NO_FAULTS, type FaultPlan } from "../faults/index.js";
import { TRACE_VERSION, type StopReason, type TraceEvent, type TraceHeader } from "../trace/index.js";
import { Collector } from "./collector.js";
import type { FromParticipant } from "./control.js";
import { isEndedFromOutside, type Exit } from "./child.js";
import { HostError, messageOf, safeText } from "./errors.js";
import { Lane } from "./lane.js";
import { Launcher } from "./launcher.js";
import { PlanRunner } from "./plan-runner.js";
import { Reception } from "./reception.js";
import { callAt, monotonicMicroseconds, RunClock } from "./run-clock.js";
import { RunFolder } from "./run-folder.js";
import { checkOptions, type RealRunOptions, type RunResult } from "./run-options.js";
import { stopAll } from "./stop-all.js";
import { Supervised } from "./supervised.js";
import { Watch } from "./watch.js";
import { Users } from "./users.js";

const EVENTS_MAX = 1_000_000;
// Often enough to notice a quiet run at once, seldom enough to cost nothing beside it.
const ROUND_MS = 25;

/**
 * Runs a lab for real: one operating-system process per participant, on this machine, joined by a transport, under a
 * fault plan; and gives the trace.
 *
 * Crash is `kill -9`, pause is SIGSTOP, link faults act in the sending host. The run ends when nothing is going on any
 * more (`quiescent`: no timer, no message, no command, nothing left of the plan), at `duration`, at `eventsMax`, by
 * `signal`, because the protocol of a participant broke down (`failed`), or because one was lost to something else: a
 * signal, a hang, a lost connection (`lost`; the result says who and how). In every case nothing is left behind: no
 * process, no socket, no folder. Should this process itself be killed, the participants notice and end, and the next
 * run removes the folder.
 *
 * Rejects with `UsageError` before anything is started when an option cannot be used; with `HostError`: `run-folder`,
 * `not-started` when a participant did not get as far as the beginning of the run (no trace is left either),
 * `trace-not-written` when the system refuses to write what happens (the trace is incomplete then); and with whatever
 * `onEvent` or the lab's user throws.
 */
export async function runForReal(options: RealRunOptions): Promise<RunResult> {
  const run = new RealRun(options);
  try {
    options.onOpen?.();
    return await run.run();
  } finally {
    await run.clean();
  }
}

class RealRun {
  readonly #options: RealRunOptions;
  readonly #faults: FaultPlan;
  readonly #header: TraceHeader;
  readonly #folder: RunFolder;
  readonly #collector: Collector;
  readonly #users: Users;
  readonly #clock = new RunClock();
  readonly #all: readonly Supervised[];
  readonly #watch: Watch;
  readonly #byName: ReadonlyMap<ProcessId, Supervised>;
  readonly #launcher: Launcher;
  readonly #plan: PlanRunner;
  readonly #onExit = (): void => this.#endNow();
  #limit: Disposable | undefined;
  #reception: Reception | undefined;
  #begun = false;
  #epoch = 0;
  #stopping = false;
  /** What an observer, a user or a bug threw while nobody could catch it; thrown on when everything is cleaned up. */
  #thrown: { readonly error: unknown; readonly nothingRan?: true } | undefined;
  #stop: (end: Ending) => void = () => {};
  #wake: () => void = () => {};

  constructor(options: RealRunOptions) {
    this.#options = options;
    this.#faults = options.faults ?? NO_FAULTS;
    checkOptions(options, this.#faults);
    this.#header = {
      format: "lightcone-trace",
      version: TRACE_VERSION,
      lightcone: options.lightcone,
      source: "processes",
      lab: options.labRef,
      processes: options.processes,
      seed: options.seed,
      options: options.options,
      faults: formatFaults(this.#faults),
      duration: options.duration ?? 60 * SECOND,
      transport: options.transport ?? "tcp",
    };
    this.#folder = RunFolder.create(options.runtimeParent, (line) => this.#notice(line));
    let collector: Collector | undefined;
    try {
      collector = new Collector({
        header: this.#header,
        ...(options.onEvent && { onEvent: options.onEvent }),
        ...(options.out !== undefined && { out: options.out }),
      });
      this.#collector = collector;
      this.#all = options.processes.map((process, index) => {
        const lane = new Lane(this.#folder.traceFile(index), this.#header, process, {
          onEvent: (event) => this.#onLaneEvent(event),
          onCaughtUp: (lane) => this.#collector.settle(lane),
        });
        return new Supervised(process, index, lane);
      });
    } catch (error) {
      collector?.discard();
      this.#folder[Symbol.dispose]();
      throw error;
    }
    this.#watch = new Watch(this.#all, {
      startMsMax: options.startMsMax,
      answerMsMax: options.answerMsMax,
      lossless: options.transports[this.#header.transport ?? "tcp"]?.promises.reliable,
    });
    this.#byName = new Map(this.#all.map((one) => [one.process, one]));
    const run = { processes: options.processes, seed: options.seed, options: options.options };
    this.#users = new Users(options.lab.user, run, this.#clock, (process, command) =>
      this.#give(process, command),
    );
    this.#launcher = new Launcher({
      run: options,
      header: this.#header,
      folder: this.#folder,
      all: this.#all,
      onExit: (one, exit) => this.#exited(one, exit),
      onReady: (one) => this.#ready(one),
    });
    this.#plan = new PlanRunner({
      all: this.#all,
      faults: this.#faults,
      clock: this.#clock,
      collector: this.#collector,
      spawn: (one) => this.#launcher.spawn(one),
      guard: (action) => this.#guard(action),
    });
    // Whoever calls process.exit() meanwhile leaves no orphans either.
    process.once("exit", this.#onExit);
  }

  async run(): Promise<RunResult> {
    const ending = new Promise<Ending>((resolve) => (this.#stop = resolve));
    const { signal } = this.#options;
    const interrupt = (): void => this.#stop({ stopped: "interrupted" });
    if (signal?.aborted === true) interrupt();
    signal?.addEventListener("abort", interrupt, { once: true });
    try {
      await this.#open();
      const rounds = this.#rounds();
      const end = await ending;
      this.#stopping = true;
      this.#launcher.stop();
      this.#wake();
      await rounds;
      this.#users[Symbol.dispose]();
      this.#plan[Symbol.dispose]();
      this.#limit?.[Symbol.dispose]();
      await stopAll(this.#all);
      if (this.#thrown !== undefined) throw this.#thrown.error;
      return this.#result(end);
    } finally {
      signal?.removeEventListener("abort", interrupt);
    }
  }

  /** Ends and removes whatever there still is. Idempotent. */
  async clean(): Promise<void> {
    this.#stopping = true;
    this.#launcher.stop();
    process.off("exit", this.#onExit);
    this.#users[Symbol.dispose]();
    this.#plan[Symbol.dispose]();
    for (const one of this.#all) if (one.isAlive) one.child?.signal("SIGKILL");
    await Promise.all(this.#all.flatMap((one) => one.child?.exited ?? []));
    for (const one of this.#all) {
      one.child?.release();
      one.channel?.abort("the run is over");
      one.lane[Symbol.dispose]();
    }
    await this.#reception?.[Symbol.asyncDispose]();
    if (this.#thrown?.nothingRan === true) this.#collector.discard();
    this.#collector[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
  }

  /** The synchronous part of it, for a program that exits at once. */
  #endNow(): void {
    for (const one of this.#all) one.child?.signal("SIGKILL");
    this.#folder[Symbol.dispose]();
  }

  // ---- Start --------------------------------------------------------------------------------------------------

  async #open(): Promise<void> {
    const uds = this.#options.transports["uds"];
    invariant(uds !== undefined, "checked with the options");
    this.#reception = await Reception.open({
      transport: uds,
      address: this.#folder.controlAddress(),
      token: this.#launcher.controlToken,
      byName: this.#byName,
      onHello: (one) => this.#launcher.configure(one),
      onMessage: (one, message) => this.#guard(() => this.#onMessage(one, message)),
    });
    this.#launcher.launch();
  }

  #exited(one: Supervised, exit: Exit): void {
    // A planned death is dealt with where it was planned.
    if (one.phase === "crashed" || one.phase === "stopping" || this.#stopping) return;
    // Ctrl-C in a terminal reaches a participant that has not learned to ignore it yet.
    if (exit.signal === "SIGINT") return this.#stop({ stopped: "interrupted" });
    this.#guard(() => this.#diedUnasked(one, exit));
  }

  #diedUnasked(one: Supervised, exit: Exit): void {
    const { failure } = one;
    const ran = one.phase === "running";
    one.phase = "gone";
    if (failure?.cause === "not-written") {
      const message = `${one.process} could not record what it did: ${failure.message}`;
      throw new HostError(
        "trace-not-written",
        `${message}; the run was stopped, and the trace is incomplete`,
      );
    }
    const detail = one.describeEnd(exit);
    if (!this.#begun) return this.#notStarted(detail);
    if (ran) one.lane.crash(this.#clock.read());
    // One that was to come back and did not get as far has taken no step that could have failed.
    const lost = failure === undefined && (!ran || isEndedFromOutside(exit));
    this.#stop({ stopped: lost ? "lost" : "failed", detail });
  }

  #notStarted(detail: string): void {
    const error = new HostError("not-started", `the run could not begin: ${detail}`);
    this.#thrown ??= { error, nothingRan: true };
    this.#stop({ stopped: "lost", detail });
  }

  // ---- What participants say ----------------------------------------------------------------------------------

  #onMessage(one: Supervised, message: FromParticipant): void {
    one.heardMs = performance.now();
    switch (message.kind) {
      case "hello":
        one.channel?.abort("a second hello");
        return;
      case "listening":
        this.#launcher.listening(one, message.address);
        return;
      case "connected":
        this.#launcher.connected(one);
        return;
      case "recorded":
        this.#readLane(one);
        return;
      case "status":
        one.poll = message.poll;
        one.status = message.status;
        return;
      case "peer-lost": {
        // Its events up to there are in its file by now.
        one.lane.readAll();
        this.#collector.lost(
          one.process,
          message.process,
          message.number,
          message.waiting,
          "crashed",
          this.#clock.read(),
        );
        this.#byName.get(message.process)?.lossesReported(one.process);
        return;
      }
      case "not-received":
        this.#collector.network(
          { kind: "drop", from: message.from, send: message.send, to: one.process, reason: "failed-receive" },
          this.#clock.read(),
        );
        return;
      case "not-saved":
        this.#notice(`${one.process} could not save: ${safeText(message.reason, 300)}`);
        this.#collector.network(
          { kind: "fault", fault: `disk-full ${one.process}`, phase: "begin" },
          this.#clock.read(),
        );
        return;
      case "trouble":
        this.#notice(`${one.process}: ${safeText(message.message, 500)}`);
        return;
      case "failed":
        one.failure = { cause: message.cause, message: safeText(message.message, 1_000) };
        return;
    }
  }

  #ready(one: Supervised): void {
    this.#watch.welcome(one);
    if (this.#begun) {
      one.send({ kind: "go", epoch: this.#epoch });
      this.#plan.restarted();
      return;
    }
    if (this.#all.every((other) => other.phase === "running")) this.#begin();
  }

  #begin(): void {
    this.#begun = true;
    this.#epoch = monotonicMicroseconds();
    this.#clock.begin(this.#epoch);
    for (const one of this.#all) one.send({ kind: "go", epoch: this.#epoch });
    this.#plan.begin(this.#header.duration);
    this.#limit = callAt(this.#clock, this.#header.duration, () => {
      const detail = this.#watch.silent(this.#header.duration / 1_000);
      this.#stop({ stopped: "time-limit", ...(detail !== undefined && { detail }) });
    });
  }

  // ---- Events, users, quiescence --------------------------------------------------------------------------------

  #onLaneEvent(event: TraceEvent): void {
    this.#collector.push(event);
    if (!this.#stopping) this.#users.observe(event);
    if (this.#collector.count >= (this.#options.eventsMax ?? EVENTS_MAX))
      this.#stop({ stopped: "event-limit" });
  }

  #give(process: ProcessId, command: unknown): void {
    const one = this.#byName.get(process);
    if (one?.phase !== "running") return;
    one.commandsGiven++;
    one.send({ kind: "command", command });
  }

  /** Reads a piece of a lane; says whether there may be more. */
  #readLane(one: Supervised): boolean {
    try {
      return one.lane.read();
    } catch (error) {
      // A line that no correct participant writes; anything else is ours and ends the run as an exception.
      if (!isTraceError(error)) throw error;
      this.#stop({
        stopped: "failed",
        detail: `${one.process} recorded what no trace may hold: ${error.message}`,
      });
      return false;
    }
  }

  /** Reads what was recorded, polls, looks for silence, until the run stops. */
  async #rounds(): Promise<void> {
    while (!this.#stopping) {
      this.#guard(() => {
        this.#readRound();
        const quiet = this.#plan.left === 0 && this.#users.waiting === 0;
        const finding = this.#watch.round(this.#begun, quiet);
        if (finding.kind === "quiescent") this.#stop({ stopped: "quiescent" });
        else if (finding.kind === "hanging" && this.#begun)
          this.#stop({ stopped: "lost", detail: finding.detail });
        else if (finding.kind === "hanging") this.#notStarted(finding.detail);
      });
      if (this.#stopping) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ROUND_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** A bounded piece of every lane that has something, the one that is furthest behind first. */
  #readRound(): void {
    const behind = [...this.#all];
    for (let pieces = 0; pieces < 64 && behind.length > 0; pieces++) {
      behind.sort((a, b) => a.lane.at - b.lane.at);
      const [one] = behind;
      if (one !== undefined && !this.#readLane(one)) behind.shift();
    }
  }

  // ---- End ----------------------------------------------------------------------------------------------------

  #result(end: Ending): RunResult {
    let { stopped, detail } = end;
    try {
      for (const one of this.#all) one.lane.readAll();
    } catch (error) {
      if (!isTraceError(error)) throw error;
      stopped = "failed";
      detail = detail ?? error.message;
    }
    if (stopped === "quiescent") this.#recordLosses();
    const trace = this.#collector.finish({ stopped, ...(detail !== undefined && { detail }) });
    return {
      trace,
      stopped: trace.end.stopped,
      ...(trace.end.detail !== undefined && { detail: trace.end.detail }),
      processes: this.#all.map(({ process, pids, lane }) => ({ process, pids, events: lane.number })),
    };
  }

  /** Nothing is under way any more: what has not arrived was lost with its connection. */
  #recordLosses(): void {
    const at = this.#clock.read();
    for (const from of this.#all) {
      for (const to of this.#all) {
        const reason = to.phase === "crashed" || from.phase === "crashed" ? "crashed" : "disconnected";
        this.#collector.lost(from.process, to.process, Infinity, [], reason, at);
      }
    }
  }

  #notice(line: string): void {
    this.#options.onNotice?.(line);
  }

  /** Runs what an event of the outside set off; what it throws ends the run as an exception. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#thrown ??= { error };
      this.#stop({ stopped: "failed", detail: safeText(messageOf(error), 1_000) });
    }
  }
}

interface Ending {
  readonly stopped: StopReason;
  readonly detail?: string;
}

function isTraceError(error: unknown): error is LightconeError {
  return error instanceof Error && error.name === "TraceError";
}
