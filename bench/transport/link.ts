/** The little of a connection that the workloads need, so that ours and the baseline run the same ones. */
export interface Link {
  /** False: wait for {@link Link.drained}. */
  send(frame: Uint8Array, start: number, end: number): boolean;
  drained(): Promise<void>;
  receive(onFrame: (bytes: Uint8Array, start: number, end: number) => void): void;
}

/** One way to connect two processes; an address is a port for TCP and a path for Unix sockets. */
export interface Linker {
  /** Resolves to the address that was given or chosen. */
  listen(address: string, accept: (link: Link) => void): Promise<string>;
  dial(address: string): Promise<Link>;
}
