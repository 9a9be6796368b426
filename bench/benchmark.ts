/** One measured claim: `bench/NAME.ts` default-exports one, and `npm run bench -- NAME` runs it. */
export interface Benchmark {
  /** Kebab-case; the name of its file. */
  readonly name: string;
  /** One sentence that the figures support or refute. */
  readonly claim: string;
  /** Measures; takes seconds to minutes. */
  run(): Promise<readonly Figure[]>;
}

/** One number of a benchmark, with what it is to be compared with. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** With `--json` the value is also found under this name, beside the figures. */
  readonly key?: string;
  /** `µs`, `messages/s`, `×`, `KB`. */
  readonly unit: string;
  /** What it should be, in words: `≥ 1.5 M/s`, `≤ 2 × raw net`. */
  readonly target?: string;
  /** Whether it is; absent where there is nothing to compare with. */
  readonly met?: boolean;
}
