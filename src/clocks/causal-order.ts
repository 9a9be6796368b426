/** How two events, or two states, stand to each other in happened-before. */
export type CausalOrder = "equal" | "before" | "after" | "concurrent";

/** The order of `a` and `b` from which of them is entirely within the other. */
export function causalOrder(aWithinB: boolean, bWithinA: boolean): CausalOrder {
  if (aWithinB) return bWithinA ? "equal" : "before";
  return bWithinA ? "after" : "concurrent";
}
