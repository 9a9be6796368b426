/** Makes one call; `done` is called when its answer is there, which has been looked at. */
export type Caller = (done: () => void) => void | Promise<void>;

/** One way to serve and to call, so that ours and the baselines run the same workloads. */
export interface Side {
  /** Resolves to the address that was given or chosen. */
  serve(kind: string, address: string, payload: string): Promise<string>;
  connect(kind: string, address: string, payload: string): Promise<Caller>;
}
