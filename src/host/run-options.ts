import { checkProcessNames, unknownName, UsageError, type Duration, type ProcessId } from "../core/index.js";
import { createInjector, type FaultPlan } from "../faults/index.js";
import type { Lab } from "../labs/index.js";
import type { StopReason, Trace, TraceEvent } from "../trace/index.js";
import type { TransportTable } from "../transports/index.js";
import { meshAddress } from "./mesh-address.js";

/** 64 × 63 / 2 = 2,016 connections, and some 50 MB for each process. */
export const REAL_PROCESSES_MAX = 64;

export interface RealRunOptions {
  readonly lab: Lab;
  /** What the participants' `loadLab` gets: the lab's id, or the absolute path of a lab file. */
  readonly labRef: string;
  /**
   * How to start a participant with this Node: a JavaScript file, and arguments that precede
   * `--control URL --id PROCESS`; such as `["/…/dist/cli/participant.js"]`.
   */
  readonly entry: readonly string[];
  /** At most {@link REAL_PROCESSES_MAX}. */
  readonly processes: readonly ProcessId[];
  readonly seed: number;
  readonly options: Readonly<Record<string, number | string | boolean>>;
  /** Default: none. */
  readonly faults?: FaultPlan;
  /** The run ends after that long; default 60 s. */
  readonly duration?: Duration;
  /** Scheme of the transport between participants; default `tcp`. */
  readonly transport?: string;
  /** Must hold that transport, and `uds` for control. */
  readonly transports: TransportTable;
  /** Version of Lightcone, for the trace's header. */
  readonly lightcone: string;
  /** Where the trace is written as the run goes on; absent: only the result has it. */
  readonly out?: string;
  /** Ends the run as `interrupted`; the trace is whole up to there, and everything started is gone within 2 s. */
  readonly signal?: AbortSignal;
  /** Everything that can be checked beforehand is in order: the participants are started next. */
  readonly onOpen?: () => void;
  /** Sees every event once, in causal order, while the run goes on. */
  readonly onEvent?: (event: TraceEvent) => void;
  /** What a person may want to know while the run goes on; one safe line each. */
  readonly onNotice?: (line: string) => void;
  /** The run ends as `event-limit` after so many; default 1,000,000, each some 300 bytes of memory. */
  readonly eventsMax?: number;
  /** How long a participant may take to start, or to connect to the others; default 15 s + n × 250 ms. Milliseconds. */
  readonly startMsMax?: number;
  /** A participant that has not answered for that long, unless paused by the plan, is lost; default 10 s. Milliseconds. */
  readonly answerMsMax?: number;
  /** Where the run's private folder is made; default `$XDG_RUNTIME_DIR`, or the temporary folder if that will not do. */
  readonly runtimeParent?: string;
}

export interface ProcessReport {
  readonly process: ProcessId;
  /** One for each incarnation, in order. */
  readonly pids: readonly number[];
  /** Events on its lane. */
  readonly events: number;
}

export interface RunResult {
  /** Whole and in causal order. `trace.end` says how the run ended. */
  readonly trace: Trace;
  readonly stopped: StopReason;
  /** Says more where the reason alone does not: which process failed, and how. */
  readonly detail?: string;
  readonly processes: readonly ProcessReport[];
}

/** Throws `UsageError` unless a run can be started with them. */
export function checkOptions(options: RealRunOptions, faults: FaultPlan): void {
  const { processes, transports, transport = "tcp", entry } = options;
  checkProcessNames(processes);
  if (processes.length > REAL_PROCESSES_MAX) {
    throw new UsageError(
      `${processes.length} processes are too many to run for real: at most ${REAL_PROCESSES_MAX}, as each two of them share a connection; simulate more (lightcone sim)`,
      { processes: processes.length, processesMax: REAL_PROCESSES_MAX },
    );
  }
  // Checks the plan against the processes.
  createInjector(faults, processes, options.seed);
  if (transports[transport] === undefined) throw unknownName("transport", transport, Object.keys(transports));
  if (transports["uds"] === undefined)
    throw new UsageError('a run needs the transport "uds" for its control socket');
  meshAddress(transport, "/", 0, 0);
  if (entry.length === 0)
    throw new UsageError("no entry given; name the JavaScript file that starts a participant");
}
