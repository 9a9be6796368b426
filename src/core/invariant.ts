/** Thrown when Lightcone itself, or a protocol it runs, is wrong. Nobody catches it. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** States what must hold; stays on in production. `message` says what would be impossible. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
