import type { EventId } from "../core/index.js";
import type { Violation } from "./checker.js";

/** One broken rule can break at every later event; the first few tell the story. */
export const VIOLATIONS_MAX = 20;

/** What one checker found in one trace; keeps the first {@link VIOLATIONS_MAX}. */
export class Violations {
  readonly found: Violation[] = [];
  readonly #checker: string;

  constructor(checker: string) {
    this.#checker = checker;
  }

  add(message: string, evidence: readonly EventId[]): void {
    if (this.found.length < VIOLATIONS_MAX) this.found.push({ checker: this.#checker, message, evidence });
  }
}
