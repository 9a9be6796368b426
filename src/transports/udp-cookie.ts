import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const TIME_BYTES = 4;
const MAC_BYTES = 20;

export const COOKIE_BYTES = TIME_BYTES + MAC_BYTES;

/** Proves that who sends it back received it at that address, without anything being kept about him. */
export class CookieJar {
  readonly #secret = randomBytes(32);
  readonly #secondsMax: number;
  readonly #seconds: () => number;

  /** A cookie is good for `secondsMax` seconds by `seconds`, whole ones since whenever. */
  constructor(secondsMax: number, seconds: () => number = () => Math.floor(performance.now() / 1_000)) {
    this.#secondsMax = secondsMax;
    this.#seconds = seconds;
  }

  bake(id: Uint8Array, address: string, port: number): Buffer {
    const time = Buffer.alloc(TIME_BYTES);
    time.writeUInt32LE(this.#seconds());
    return Buffer.concat([time, this.#mac(time, id, address, port)]);
  }

  isGood(cookie: Buffer, id: Uint8Array, address: string, port: number): boolean {
    if (cookie.length !== COOKIE_BYTES) return false;
    const time = cookie.subarray(0, TIME_BYTES);
    if (!timingSafeEqual(cookie.subarray(TIME_BYTES), this.#mac(time, id, address, port))) return false;
    return this.#seconds() - time.readUInt32LE() <= this.#secondsMax;
  }

  #mac(time: Uint8Array, id: Uint8Array, address: string, port: number): Buffer {
    const mac = createHmac("sha256", this.#secret)
      .update(time)
      .update(id)
      .update(`${address} ${port}`)
      .digest();
    return mac.subarray(0, MAC_BYTES);
  }
}
