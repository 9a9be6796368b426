/** What a client of the random numbers sends: three int32, little-endian. */
export interface DrawRequest {
  /** The operating system's number of the client, for the signal over named pipes. */
  readonly pid: number;
  /** How many numbers it wants. */
  readonly x: number;
  /** The greatest it wants. */
  readonly nmax: number;
}

export const DRAW_REQUEST_BYTES = 12;
/** One number: two int32, the server's pid and the number. */
export const DRAW_REPLY_BYTES = 8;

/** The most numbers of one request; the published client asks for 10 at most. 8 MB of replies. */
export const DRAW_MAX = 1_000_000;

/** The numbers themselves are logged when they are no more than that. */
export const SHOWN_NUMBERS_MAX = 100;

export function encodeDrawRequest({ pid, x, nmax }: DrawRequest): Uint8Array {
  const bytes = Buffer.alloc(DRAW_REQUEST_BYTES);
  bytes.writeInt32LE(pid, 0);
  bytes.writeInt32LE(x, 4);
  bytes.writeInt32LE(nmax, 8);
  return bytes;
}

export function decodeDrawRequest(bytes: Uint8Array): DrawRequest {
  const view = new DataView(bytes.buffer, bytes.byteOffset, DRAW_REQUEST_BYTES);
  return { pid: view.getInt32(0, true), x: view.getInt32(4, true), nmax: view.getInt32(8, true) };
}

/** Replies one after the other, as many as there are numbers. */
export function encodeDrawReplies(serverPid: number, numbers: readonly number[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(numbers.length * DRAW_REPLY_BYTES);
  numbers.forEach((number, i) => {
    bytes.writeInt32LE(serverPid, i * DRAW_REPLY_BYTES);
    bytes.writeInt32LE(number, i * DRAW_REPLY_BYTES + 4);
  });
  return bytes;
}

/** Why no server answers such a request, or `undefined`. The client's pid counts over named pipes alone. */
export function drawProblem({ x, nmax }: Pick<DrawRequest, "x" | "nmax">): string | undefined {
  if (x < 1 || x > DRAW_MAX) return `${x} numbers are asked for; 1 to ${DRAW_MAX} are given`;
  if (nmax < 1) return `the greatest number is ${nmax}; it must be 1 or more`;
  return undefined;
}

/** Cuts a stream of bytes into records of one length. Keeps less than one record, or nothing once `stop` was called. */
export class RecordReader {
  readonly #bytes: Buffer;
  #filled = 0;

  constructor(recordBytes: number) {
    this.#bytes = Buffer.alloc(recordBytes);
  }

  /** Bytes of a record that is not whole. */
  get partial(): number {
    return this.#filled;
  }

  /** Drops a record that is not whole. */
  reset(): void {
    this.#filled = 0;
  }

  /** Each whole record; its bytes are the receiver's during the step alone. */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < chunk.length;) {
      const end = Math.min(chunk.length, at + this.#bytes.length - this.#filled);
      this.#bytes.set(chunk.subarray(at, end), this.#filled);
      this.#filled += end - at;
      at = end;
      if (this.#filled < this.#bytes.length) return;
      this.#filled = 0;
      yield this.#bytes;
    }
  }
}

/** Checks the replies of one call as they come. */
export class DrawReader {
  readonly numbers: number[] = [];
  /** The server's pid, once the first reply has come. */
  serverPid: number | undefined;
  readonly #records = new RecordReader(DRAW_REPLY_BYTES);
  readonly #asked: Pick<DrawRequest, "x" | "nmax">;
  readonly #step: (line: string) => void;

  constructor(asked: Pick<DrawRequest, "x" | "nmax">, step: (line: string) => void) {
    this.#asked = asked;
    this.#step = step;
  }

  get complete(): boolean {
    return this.numbers.length === this.#asked.x;
  }

  /** Gives what is wrong with what came, or `undefined`. What follows the last number is not looked at. */
  push(chunk: Uint8Array): string | undefined {
    for (const bytes of this.#records.push(chunk)) {
      if (this.complete) return undefined;
      const view = new DataView(bytes.buffer, bytes.byteOffset, DRAW_REPLY_BYTES);
      const serverPid = view.getInt32(0, true);
      const number = view.getInt32(4, true);
      if (serverPid <= 0) return `a reply names the process ${serverPid}`;
      if (number < 1 || number > this.#asked.nmax)
        return `the number ${number} is not in 1 to ${this.#asked.nmax}`;
      this.serverPid = serverPid;
      this.numbers.push(number);
      this.#step(`number ${this.numbers.length} of ${this.#asked.x}: ${number}, from ${serverPid}`);
    }
    return undefined;
  }
}
