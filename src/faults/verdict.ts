import type { Duration } from "../core/index.js";

/** What happens to one message: it arrives (twice, when duplicated), or it is dropped and why. */
export type Verdict =
  /** At least one arrival; the message's own comes first, the further ones are copies. */
  | { readonly kind: "deliver"; readonly arrivals: readonly Arrival[] }
  | { readonly kind: "drop"; readonly reason: "loss" | "partition" | "corrupt" | "refused" | "failed-send" };

/**
 * One arrival of a message. The network keeps a link's order by one rule: an arrival comes at
 * `max(inLine, now + after)`, where `inLine` is the latest arrival so far on the link of those that were not
 * overtakable. So an overtakable message overtakes none, but later ones may overtake it.
 */
export interface Arrival {
  /** Counted from the send, on top of whatever the network itself takes. */
  readonly after: Duration;
  /** Later messages of the link need not wait for this arrival. */
  readonly overtakable: boolean;
  /** The fault that held the message back by `after`; `undefined` when none did, and for copies. */
  readonly held: "delay" | "reorder" | undefined;
}

/** Arrives once, at once, in order: the verdict of a perfect network. One shared object, so `===` finds it. */
export const DELIVERED: Verdict = {
  kind: "deliver",
  arrivals: [{ after: 0, overtakable: false, held: undefined }],
};
