import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

/** Datagrams for one peer that have not left; a further one is lost, and reported. */
export const CLASSIC_QUEUE_MAX = 1_000;

/** So long the system may take to say that nobody listens there: on one machine it does so at once. Milliseconds. */
const REFUSAL_MS_MAX = 10;

const RETRY_MS_FIRST = 200;
const RETRY_MS_MAX = 2_000;

export interface OutgoingOptions {
  readonly host: string;
  readonly port: number;
  readonly retriesMax: number;
  /** A datagram was refused `attempts` times; it is kept, with those after it, until the next is to be sent. */
  readonly onGaveUp: (attempts: number, kept: number) => void;
  /** It was taken after it, or one before it, had been refused. */
  readonly onTaken: () => void;
}

/**
 * The way to one classic process: datagrams leave one after the other, and one that the system reports as refused
 * (nobody listens at that port) is sent again after a while. The format has no acknowledgements: what is lost on a
 * network stays lost.
 */
export class ClassicOutgoing implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #options: OutgoingOptions;
  readonly #queue: { readonly bytes: Uint8Array; readonly onLeft: () => void }[] = [];
  readonly #over = new AbortController();
  #refused = false;
  #pumping: Promise<void> | undefined;

  private constructor(socket: Socket, options: OutgoingOptions) {
    this.#socket = socket;
    this.#options = options;
    // Linux reports a refusal at the next use of the socket, here mostly by the read that is always under way.
    socket.on("error", () => (this.#refused = true));
  }

  /** Rejects with the system's error when the host has no address. */
  static async open(options: OutgoingOptions): Promise<ClassicOutgoing> {
    const socket = createSocket("udp4");
    socket.connect(options.port, options.host);
    await once(socket, "connect");
    return new ClassicOutgoing(socket, options);
  }

  /** False when too much waits already. */
  send(bytes: Uint8Array, onLeft: () => void): boolean {
    if (this.#queue.length >= CLASSIC_QUEUE_MAX) return false;
    this.#queue.push({ bytes, onLeft });
    this.hurry();
    return true;
  }

  /** Tries again what was given up: the peer has shown that it is there. */
  hurry(): void {
    if (this.#over.signal.aborted) return;
    this.#pumping ??= this.#pump().finally(() => (this.#pumping = undefined));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#pumping;
    this.#socket.close();
  }

  async #pump(): Promise<void> {
    const { retriesMax, onGaveUp, onTaken } = this.#options;
    const { signal } = this.#over;
    let refusals = 0;
    for (let head = this.#queue[0]; head !== undefined && !signal.aborted; head = this.#queue[0]) {
      if (await this.#taken(head.bytes)) {
        this.#queue.shift();
        head.onLeft();
        if (refusals > 0) onTaken();
        refusals = 0;
        continue;
      }
      if (refusals >= retriesMax) {
        onGaveUp(refusals, this.#queue.length);
        return;
      }
      refusals++;
      const ceiling = Math.min(RETRY_MS_MAX, RETRY_MS_FIRST * 2 ** Math.min(refusals - 1, 10));
      await pause(ceiling * (0.6 + 0.4 * Math.random()), undefined, { signal }).catch(() => {});
    }
  }

  /** Whether nobody has said that it was refused. */
  async #taken(bytes: Uint8Array): Promise<boolean> {
    this.#refused = false;
    const sent = await new Promise<boolean>((resolve) =>
      this.#socket.send(bytes, (error) => resolve(error === null)),
    );
    if (sent) await pause(REFUSAL_MS_MAX, undefined, { signal: this.#over.signal }).catch(() => {});
    return sent && !this.#refused;
  }
}
