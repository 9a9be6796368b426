/**
 * A bug planted on purpose: one change to one source file. Lists of them stand beside this file, exported as
 * `mutants`; `npm run mutants` applies each to a copy and runs its scenario.
 */
export interface Mutant {
  /** The family's letters and a number, as in the protocol reference: `RA-1`. Unique. */
  readonly id: string;
  /** What it belongs to, for `npm run mutants -- FAMILY`: `ricart-agrawala`. */
  readonly family: string;
  /** The source it changes, from the root of the repository: `src/protocols/mutex/ricart-agrawala.ts`. */
  readonly file: string;
  /** Source text that occurs exactly once in the file; it may span lines. */
  readonly find: string;
  readonly replace: string;
  /** What goes wrong, in one sentence. */
  readonly why: string;
  /** Name of the {@link Scenario} that must catch it. */
  readonly scenario: string;
  /** Why the change makes no difference that anyone could see; then the scenario must pass with it. */
  readonly equivalent?: string;
}

/** Something that holds for the code as it is, and that a mutant must break. Exported from a file in `scenarios/`. */
export interface Scenario {
  /** Unique. */
  readonly name: string;
  /** What holds, in one sentence. */
  readonly claim: string;
  /**
   * Rejects when the claim does not hold; the first line of the error is the evidence.
   *
   * Runs in a process of its own. `root` is the URL of a folder laid out like `dist`, with a slash at its end; every
   * module of Lightcone must come from there: `await import(new URL("protocols/index.js", root).href)`.
   */
  run(root: string): Promise<void>;
  /** When it takes longer, it hangs. Default 120. */
  readonly secondsMax?: number;
  /** The claim is that something ends: with a mutant, hanging (or eating all memory) is evidence and not an accident. */
  readonly hangingIsEvidence?: true;
}
