import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { escapeText, type ProcessId } from "../core/index.js";
import {
  TransportError,
  type Connection,
  type FrameReceiver,
  type Listener,
  type Transport,
} from "../transports/index.js";
import type { PeerAddress } from "./control.js";
import { HostError } from "./errors.js";
import type { Delivery } from "./link.js";
import {
  decodeHello,
  decodeWelcome,
  encodeHello,
  encodeWelcome,
  refusalOf,
  type Refusal,
  type Welcome,
} from "./hello.js";

/** A connection that has not introduced itself by then, and a while more for each process, is ended. Milliseconds. */
export const HELLO_MS_MAX = 2_000;

/** Many processes that start at once on few cores take their time. Milliseconds for each process. */
const HELLO_MS_EACH = 100;

/** Connections that have not introduced themselves; further ones are ended at once. */
export const STRANGERS_MAX = 256;

// The first retry comes within 50 ms, later ones within 2 s: a restarted peer is back soon, an absent one costs little.
const RETRY_MS_FIRST = 50;
const RETRY_MS_MAX = 2_000;

// Different troubles of connecting that are told; strangers could make up more and more of them.
const TOLD_MAX = 32;

const LASTING: ReadonlySet<string> = new Set(["bad-certificate", "not-permitted", "bad-magic", "version"]);

/** Who uses the connections: a `ProcessHost`. */
export interface MeshUser {
  /** Gives what is to receive the frames that follow. */
  attach(peer: ProcessId, connection: Connection, name: string, delivery: Delivery): FrameReceiver;
  detach(peer: ProcessId, connection: Connection): void;
}

export interface MeshOptions {
  readonly transport: Transport;
  /** Where to listen. */
  readonly listen: string;
  readonly self: ProcessId;
  readonly processes: readonly ProcessId[];
  readonly incarnation: number;
  /** Shared by the processes of one run. */
  readonly token: string;
  readonly user: MeshUser;
  /** A connection was refused, by us or by the other end; the mesh goes on. */
  readonly onTrouble?: (error: HostError) => void;
}

/**
 * The full mesh of a run, as one process sees it: it listens, dials every process that stands before it in the run's
 * order (one connection for each pair), and dials again with growing, jittered pauses when a connection ends.
 */
export class Mesh implements AsyncDisposable {
  readonly #options: MeshOptions;
  readonly #helloMsMax: number;
  readonly #instance = randomUUID();
  readonly #peers = new Map<ProcessId, Peer>();
  readonly #strangers = new Set<Connection>();
  readonly #over = new AbortController();
  #listener: Listener | undefined;
  readonly #told = new Set<string>();
  readonly #waiters = new Set<() => void>();
  /** Crashed, and not back yet: nobody waits for them. */
  readonly #absent = new Set<ProcessId>();

  private constructor(options: MeshOptions) {
    this.#options = options;
    this.#helloMsMax = HELLO_MS_MAX + HELLO_MS_EACH * options.processes.length;
  }

  /** Listens; rejects with the transport's error. */
  static async open(options: MeshOptions): Promise<Mesh> {
    const mesh = new Mesh(options);
    mesh.#listener = await options.transport.listen(
      options.listen,
      (connection) => mesh.#accept(connection),
      {
        handshakeMsMax: mesh.#helloMsMax,
        onProblem: (problem) => mesh.#tell(problem),
      },
    );
    return mesh;
  }

  /** Where peers reach this process. */
  get address(): string {
    return this.#listener?.address ?? this.#options.listen;
  }

  isConnected(peer: ProcessId): boolean {
    return this.#peers.get(peer)?.connection !== undefined;
  }

  /** Learns where a peer is now; dials it when that is this process's part. */
  reach({ process, incarnation, address }: PeerAddress): void {
    const { self, processes } = this.#options;
    this.#absent.delete(process);
    if (process === self || processes.indexOf(process) > processes.indexOf(self)) return;
    const before = this.#peers.get(process);
    before?.dialling?.abort();
    const dialling = new AbortController();
    this.#peers.set(process, { incarnation, instance: "", connection: before?.connection, dialling });
    void this.#keepConnected(process, address, AbortSignal.any([dialling.signal, this.#over.signal]));
  }

  /** A peer has crashed: stops dialling it and waiting for it, until it is to be reached or comes by itself. */
  giveUp(process: ProcessId): void {
    this.#peers.get(process)?.dialling?.abort();
    this.#absent.add(process);
    this.#wake();
  }

  /** Resolves once there is a connection to each of the peers that is not given up; never, if one stays away. */
  async connected(peers: readonly ProcessId[]): Promise<void> {
    while (!peers.every((peer) => this.isConnected(peer) || this.#absent.has(peer))) {
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    for (const stranger of this.#strangers) stranger.abort("the mesh is closing");
    // Nobody takes another step, so there is nothing left that would be worth waiting for.
    for (const peer of this.#peers.values()) peer.connection?.abort("the mesh is closing");
    await this.#listener?.close();
  }

  async #keepConnected(peer: ProcessId, address: string, signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      const connection = await this.#dial(peer, address, signal);
      if (connection !== undefined) {
        failures = 0;
        await connection.closed;
      } else {
        failures++;
      }
      const ceiling = Math.min(RETRY_MS_MAX, RETRY_MS_FIRST * 2 ** Math.min(failures, 10));
      // Full jitter: peers that lost the same process do not come back all at once.
      await pause(Math.random() * ceiling, undefined, { signal }).catch(() => {});
    }
  }

  /** A connection that is introduced and in use, or `undefined`. */
  async #dial(peer: ProcessId, address: string, signal: AbortSignal): Promise<Connection | undefined> {
    const { transport, self, incarnation, token } = this.#options;
    let connection: Connection;
    try {
      connection = await transport.dial(address, {
        signal,
        connectMsMax: this.#helloMsMax,
        handshakeMsMax: this.#helloMsMax,
      });
    } catch (error) {
      // Nobody is there yet, or not any more: the next attempt is the answer.
      this.#tell(error);
      return undefined;
    }
    const name = randomUUID();
    const introduced = new Promise<Connection | undefined>((resolve) => {
      const timeout = setTimeout(() => connection.abort("no answer to the hello in time"), this.#helloMsMax);
      void connection.closed.then(() => {
        clearTimeout(timeout);
        resolve(undefined);
      });
      let receiver: FrameReceiver | undefined;
      connection.receive((bytes, start, end) => {
        if (receiver !== undefined) return receiver(bytes, start, end);
        clearTimeout(timeout);
        const welcome = decodeWelcome(bytes, start, end);
        if (welcome?.kind !== "welcome") {
          const code = welcome?.code ?? "not an answer to a hello";
          connection.abort("the hello was refused");
          this.#trouble(`${peer} refused the connection: ${code}`, { peer, code });
        } else if (this.#isAnother(peer, welcome)) {
          connection.abort("another process has taken the peer's name");
          this.#trouble(`${peer} is another process than before: it has lost what it knew`, {
            peer,
            code: "another-process",
          });
        } else {
          receiver = this.#use(peer, connection, name, welcome.incarnation, welcome.instance);
          resolve(connection);
        }
      });
    });
    connection.send(
      encodeHello({ from: self, to: peer, incarnation, instance: this.#instance, connection: name, token }),
    );
    return introduced;
  }

  #accept(connection: Connection): void {
    if (this.#strangers.size >= STRANGERS_MAX) {
      connection.abort("too many connections without a hello");
      return;
    }
    this.#strangers.add(connection);
    const timeout = setTimeout(() => connection.abort("no hello in time"), this.#helloMsMax);
    void connection.closed.then(() => {
      clearTimeout(timeout);
      this.#strangers.delete(connection);
    });
    let receiver: FrameReceiver | undefined;
    connection.receive((bytes, start, end) => {
      if (receiver !== undefined) return receiver(bytes, start, end);
      clearTimeout(timeout);
      this.#strangers.delete(connection);
      receiver = this.#admit(connection, bytes, start, end) ?? (() => connection.abort("refused"));
    });
  }

  #admit(connection: Connection, bytes: Uint8Array, start: number, end: number): FrameReceiver | undefined {
    const { self, processes, token, incarnation } = this.#options;
    const hello = decodeHello(bytes, start, end);
    if (hello === undefined) {
      connection.abort("the first frame is not a hello");
      this.#trouble("a connection began with something else than a hello", {});
      return undefined;
    }
    const refusal = refusalOf(hello, { self, processes, token, known: (process) => this.#known(process) });
    if (refusal !== undefined) {
      this.#refuse(connection, refusal, hello.from);
      return undefined;
    }
    connection.send(encodeWelcome({ kind: "welcome", incarnation, instance: this.#instance }));
    return this.#use(hello.from, connection, hello.connection, hello.incarnation, hello.instance);
  }

  #refuse(connection: Connection, code: Refusal, from: string): void {
    const answer: Welcome = { kind: "refused", code };
    connection.send(encodeWelcome(answer));
    void connection.close();
    this.#trouble(`refused a connection that claimed to be ${escapeText(from)}: ${code}`, { code });
  }

  /** Whether who answers for a peer is not who did before, although it claims to be the same incarnation. */
  #isAnother(peer: ProcessId, { incarnation, instance }: Extract<Welcome, { kind: "welcome" }>): boolean {
    const before = this.#peers.get(peer);
    return (
      before !== undefined &&
      before.instance !== "" &&
      before.incarnation === incarnation &&
      before.instance !== instance
    );
  }

  #known(process: ProcessId): { incarnation: number; instance: string; connected: boolean } | undefined {
    const peer = this.#peers.get(process);
    return (
      peer && {
        incarnation: peer.incarnation,
        instance: peer.instance,
        connected: peer.connection !== undefined,
      }
    );
  }

  #use(
    process: ProcessId,
    connection: Connection,
    name: string,
    incarnation: number,
    instance: string,
  ): FrameReceiver {
    const before = this.#peers.get(process);
    const peer: Peer = { incarnation, instance, connection, dialling: before?.dialling };
    this.#peers.set(process, peer);
    void connection.closed.then(() => {
      if (peer.connection === connection) peer.connection = undefined;
      this.#options.user.detach(process, connection);
    });
    const receiver = this.#options.user.attach(process, connection, name, this.#options.transport.promises);
    this.#absent.delete(process);
    this.#wake();
    return receiver;
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }

  /** Speaks of what no further attempt will mend, once. */
  #tell(error: unknown): void {
    if (!(error instanceof TransportError) || !LASTING.has(error.code)) return;
    // By our own end of it: addresses differ from one attempt to the next.
    const what = `${error.code} ${error.message.replace(/:[0-9]+/g, "")}`;
    if (this.#told.has(what) || this.#told.size >= TOLD_MAX) return;
    this.#told.add(what);
    this.#trouble(error.message, { code: error.code });
  }

  #trouble(message: string, facts: Readonly<Record<string, unknown>>): void {
    this.#options.onTrouble?.(new HostError("peer-refused", message, facts));
  }
}

interface Peer {
  readonly incarnation: number;
  readonly instance: string;
  connection: Connection | undefined;
  /** Set while this process is the one that dials. */
  readonly dialling: AbortController | undefined;
}
