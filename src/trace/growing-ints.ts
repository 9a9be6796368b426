/** A list of 32-bit whole numbers that grows at its end by doubling; reads outside it give 0. */
export class GrowingInts {
  #values = new Int32Array(16);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  at(index: number): number {
    return index >= 0 && index < this.#length ? (this.#values[index] ?? 0) : 0;
  }

  push(value: number): void {
    this.put(this.#length, value);
  }

  /** Sets one value, and everything between the old end and it to 0. */
  put(index: number, value: number): void {
    if (index >= this.#values.length) {
      const grown = new Int32Array(Math.max(index + 1, 2 * this.#values.length));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[index] = value;
    if (index >= this.#length) this.#length = index + 1;
  }
}
