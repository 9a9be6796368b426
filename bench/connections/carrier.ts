/** One way of holding connections: what holds them on each side is its own affair. */
export interface Carrier {
  /** Accepts and keeps; resolves to the address that was given or chosen. */
  listen(address: string): Promise<string>;
  /** One connection more, once it is ready for use. */
  dial(address: string): Promise<void>;
}
