import { hex32 } from "./crc32.js";
import type { TraceEvent } from "./event.js";
import { eventLine } from "./lines.js";
import { utf8At } from "./utf8.js";

/**
 * The trace hash: FNV-1a, 64 bits, over the event lines as the format writes them, line feeds included; 16 lower-case
 * hexadecimal digits. Header and end line do not count, so it says whether two runs went the same way.
 *
 * Finds accidental differences; no protection against somebody who wants two traces to collide. Source: G. Fowler,
 * L. C. Noll, K.-P. Vo, D. Eastlake, "The FNV Non-Cryptographic Hash Algorithm", IETF draft.
 */
export function traceHash(events: Iterable<TraceEvent>): string {
  const hasher = new TraceHasher();
  for (const event of events) hasher.event(event);
  return hasher.digest();
}

/** {@link traceHash} while a run goes on. */
export class TraceHasher {
  // The offset basis 0xcbf29ce484222325, in halves: numbers have 53 bits.
  #high = 0xcbf29ce4 | 0;
  #low = 0x84222325 | 0;

  event(event: TraceEvent): void {
    this.text(eventLine(event));
    this.text("\n");
  }

  /** Goes on with the UTF-8 bytes of `text`. */
  text(text: string): void {
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit < 0x80) {
        this.#byte(unit);
      } else {
        const bytes = utf8At(text, i);
        for (const byte of bytes) this.#byte(byte);
        if (bytes.length === 4) i++;
      }
    }
  }

  /** The hash so far. */
  digest(): string {
    return hex32(this.#high) + hex32(this.#low);
  }

  /** Takes in one byte and multiplies by the prime 2^40 + 0x1b3, in halves of halves: no product needs 32 bits. */
  #byte(byte: number): void {
    const low = this.#low ^ byte;
    const carry = ((low >>> 16) * 0x1b3 + (((low & 0xffff) * 0x1b3) >>> 16)) >>> 16;
    this.#high = (Math.imul(this.#high, 0x1b3) + (low << 8) + carry) | 0;
    this.#low = Math.imul(low, 0x1b3);
  }
}
