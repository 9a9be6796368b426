import type { Deed } from "./pure-network.js";

/** Throws unless every rule that was explained has a sentence, and every term of the sentence was given. */
export function checkNarrated(
  deeds: readonly Deed<unknown, unknown>[],
  narration: Readonly<Record<string, string>>,
): void {
  for (const { effect } of deeds) {
    if (effect.kind !== "explain") continue;
    const sentence = narration[effect.rule];
    if (sentence === undefined) throw new Error(`no sentence tells of "${effect.rule}"`);
    for (const [, term] of sentence.matchAll(/\{(\w+)\}/g)) {
      if (term === undefined || !(term in effect.terms)) {
        throw new Error(`the sentence of "${effect.rule}" speaks of {${term}}, which was not given`);
      }
    }
  }
}
