/**
 * A seeded stream of random numbers.
 *
 * The algorithm is part of the trace format: a stored seed must give the same run in every version, so it is ours
 * and frozen. sfc32 (C. Doty-Humphrey, PractRand), its three words set to the seed's halves and the stream's key, the
 * first twelve numbers thrown away; 2^32 independent streams per seed by {@link Random.stream}.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  /** `seed` is a whole number from 0 to 2^53 - 1; both halves count. */
  constructor(seed: number, key = 0) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    this.#c = key >>> 0;
    this.#counter = 1;
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /** A stream of its own for each key: what one consumer draws never shifts what another gets. */
  static stream(seed: number, key: string): Random {
    return new Random(seed, hashText(key));
  }

  /** 0 … 2^32 - 1. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A whole number from 0 to `below` - 1, for `below` up to 2^32; bias under 2^-32 · below. */
  below(below: number): number {
    return Math.floor((this.uint32() / 2 ** 32) * below);
  }

  /** Uniform in [0, 1). */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  /** True with probability `p`; draws even when the answer is certain, so a changed rate shifts nothing else. */
  chance(p: number): boolean {
    return this.uint32() < p * 2 ** 32;
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + Math.floor((this.uint32() / 2 ** 32) * (max - min + 1));
  }
}

/** FNV-1a over UTF-16 code units, 32 bits: turns a name into a stream key. Part of the trace format, like `Random`. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}
