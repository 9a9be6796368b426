import type { AnyProtocol, AnyUser, Duration, RunSettings, User } from "../core/index.js";
import type { Trace } from "../trace/index.js";
import type { Checker, Witness } from "../checkers/index.js";

export type { RunSettings, Timed, User, UserPlace, UserStep } from "../core/index.js";

/**
 * One thing to run: a protocol with everything it takes to run, break, check and explain it. CLI, studio, tests and
 * explorer read the same catalogue; a user's own lab is a file whose default export is one of these.
 */
export interface Lab {
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
  protocol(run: RunSettings): AnyProtocol;
  /** Who gives the commands. Absent: nobody. */
  readonly user?: AnyUser;
  /** Fault text of `run` when `--faults` is not given. */
  readonly faults: string;
  readonly checkers: readonly Checker[];
  readonly witnesses: readonly Witness[];
  /** What to try, in order: each a sentence and a command line. */
  readonly guide: readonly GuideStep[];
  /** A sentence template for every `explain` rule, terms in braces: "defers {peer}: its own request {own} is earlier". */
  readonly narration: Readonly<Record<string, string>>;
  /** Delay of the simulator's healthy network, in microseconds; default 0.2 to 1 ms. */
  readonly latency?: { readonly min: Duration; readonly max: Duration };
  /** What a run looks like in the lab's own terms, such as its clocks over time: lines of text, below the diagram. */
  chart?(trace: Trace, paper: ChartPaper): string;
}

/** What a {@link Lab.chart} is drawn on. */
export interface ChartPaper {
  readonly columns: number;
  readonly ascii?: boolean;
}

/** Gives a user's type parameters to the compiler, then lets a {@link Lab} hold it beside others. */
export function userOf<State, Command, Output>(user: User<State, Command, Output>): AnyUser {
  return user;
}

export interface LabOption {
  readonly name: string;
  readonly summary: string;
  readonly kind: "integer" | "duration" | "text" | "flag";
  /** Durations in microseconds. */
  readonly usual: number | string | boolean;
  /** For integers and durations. */
  readonly min?: number;
  readonly max?: number;
}

export interface GuideStep {
  readonly text: string;
  readonly command?: string;
}
