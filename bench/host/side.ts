/** One of the two processes, whatever carries its messages. */
export interface Side {
  /** Messages that have arrived so far. */
  received(): number;
}

/** One way to run the two. */
export interface Pair {
  /** P1: tells where it listens; begins once P2 is there. */
  first(onListening: (address: string) => void): Promise<Side>;
  /** P2. */
  second(address: string): Promise<Side>;
}
