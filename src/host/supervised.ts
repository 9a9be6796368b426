import type { ProcessId } from "../core/index.js";
import { Child, describeExit, type ChildOptions, type Exit } from "./child.js";
import type { ControlChannel, FromParticipant, FromSupervisor, Status } from "./control.js";
import type { Lane } from "./lane.js";

/** Where one participant is in its life, as the supervisor sees it. */
export type Phase =
  /** Its operating-system process runs; it has not been configured, or does not listen yet. */
  | "starting"
  /** It listens; the others do not all yet. */
  | "listening"
  /** It was told of its peers and is being connected. */
  | "connecting"
  /** Told to go. */
  | "running"
  /** Killed by the plan; it may be restarted. */
  | "crashed"
  /** Told to stop. */
  | "stopping"
  | "gone";

/** What a participant said before it ended itself. */
export interface Failure {
  /** Its handler threw, or its protocol could not be made; or the machine did not let it write. */
  readonly cause: "protocol" | "not-written";
  readonly message: string;
}

/** One participant of a run, through all of its incarnations. */
export class Supervised {
  readonly process: ProcessId;
  readonly index: number;
  readonly lane: Lane;
  readonly pids: number[] = [];
  phase: Phase = "gone";
  incarnation = 0;
  child: Child | undefined;
  channel: ControlChannel<FromSupervisor, FromParticipant> | undefined;
  /** Where its peers reach it. */
  address = "";
  paused = false;
  commandsGiven = 0;
  /** Number of the last poll it answered. */
  poll = 0;
  status: Status | undefined;
  /** When it last said anything; for finding one that hangs. Milliseconds of the monotonic clock. */
  heardMs = 0;
  /** Why it said it cannot go on. */
  failure: Failure | undefined;
  exit: Exit | undefined;
  /** After a crash: who has not said yet what was lost with this process. */
  lossesAwaited = new Set<ProcessId>();
  /** Called when nobody is awaited any more. */
  onLossesKnown: (() => void) | undefined;

  constructor(process: ProcessId, index: number, lane: Lane) {
    this.process = process;
    this.index = index;
    this.lane = lane;
  }

  /** Starts an operating-system process for the present incarnation. */
  spawn(options: ChildOptions, nowMs: number): Child {
    const child = new Child(options);
    this.child = child;
    this.channel = undefined;
    this.phase = "starting";
    this.address = "";
    this.commandsGiven = 0;
    this.status = undefined;
    this.failure = undefined;
    this.exit = undefined;
    this.heardMs = nowMs;
    if (child.pid !== undefined) this.pids.push(child.pid);
    return child;
  }

  /** Whether peers can connect to it, or will as soon as they are told. */
  get isReachable(): boolean {
    return this.isAlive && (this.phase === "connecting" || this.phase === "running");
  }

  get isAlive(): boolean {
    return this.child !== undefined && this.exit === undefined;
  }

  lossesReported(by: ProcessId): void {
    this.lossesAwaited.delete(by);
    if (this.lossesAwaited.size === 0) this.onLossesKnown?.();
  }

  send(message: FromSupervisor): void {
    try {
      this.channel?.send(message);
    } catch {
      // The connection ended: its process is ending too, and `exited` says so.
    }
  }

  /** `P2 ended with code 1: …` with its own words, or the last it printed. */
  describeEnd(exit: Exit): string {
    const words = this.failure?.message ?? this.child?.lastWords ?? "";
    return `${this.process} ${describeExit(exit)}${words === "" ? "" : `: ${words}`}`;
  }
}
