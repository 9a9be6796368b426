import type { AnyProtocol, Duration, ProcessId, Random } from "../core/index.js";
import type { Checker, Witness } from "../checkers/index.js";

/**
 * One thing to run: a protocol with everything it takes to run, break, check and explain it. CLI, studio, tests and
 * explorer read the same catalogue; a user's own lab is a file whose default export is one of these.
 */
export interface Lab<Command = never, Output = never> {
  /** Kebab-case: what the user types. */
  readonly id: string;
  /** A few words. */
  readonly title: string;
  /** One paragraph: what it shows. */
  readonly summary: string;
  readonly processes: { readonly min: number; readonly usual: number; readonly max: number };
  /** What `--NAME` may set; values reach every function below. */
  readonly options: readonly LabOption[];
  /** Built once per run for all processes; give a process its role by `ctx.self`. */
  protocol(run: LabRun): AnyProtocol;
  /** Who gives the commands. Absent: nobody. */
  readonly user?: User<unknown, Command, Output>;
  /** Fault text used when `--faults` is not given to `run`. */
  readonly faults: string;
  readonly checkers: readonly Checker[];
  readonly witnesses: readonly Witness[];
  /** What to try, in order: each a sentence and a command line. */
  readonly guide: readonly GuideStep[];
  /** A sentence template for every `explain` rule, terms in braces: "defers {peer}: its own request {own} is earlier". */
  readonly narration: Readonly<Record<string, string>>;
}

/** A lab whose command and output types do not matter. */
// oxlint-disable-next-line typescript/no-explicit-any -- User is contravariant in its types; only `any` admits all labs
export type AnyLab = Lab<any, any>;

export interface LabOption {
  readonly name: string;
  readonly summary: string;
  readonly kind: "integer" | "duration" | "text" | "flag";
  readonly usual: number | string | boolean;
  /** For integers and durations (microseconds). */
  readonly min?: number;
  readonly max?: number;
}

export interface LabRun {
  readonly processes: readonly ProcessId[];
  readonly seed: number;
  readonly options: Readonly<Record<string, number | string | boolean>>;
}

/**
 * The person or program at each process: gives commands at the start and in answer to outputs. It stands outside the
 * process, so it survives a crash of it. Plain state, like a protocol's.
 */
export interface User<State, Command, Output> {
  start(at: UserPlace): UserStep<State, Command>;
  onOutput(state: State, output: Output, at: UserPlace): UserStep<State, Command>;
  /** Default: `start` again. */
  onRestart?(state: State, at: UserPlace): UserStep<State, Command>;
}

export interface UserPlace {
  readonly self: ProcessId;
  /** Place in the run's order of processes, from 0. */
  readonly index: number;
  readonly run: LabRun;
  /** This user's own stream. */
  readonly random: Random;
}

export interface UserStep<State, Command> {
  readonly state: State;
  readonly commands: readonly Timed<Command>[];
}

export interface Timed<Command> {
  readonly after: Duration;
  readonly command: Command;
}

export interface GuideStep {
  readonly text: string;
  readonly command?: string;
}
