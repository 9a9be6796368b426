import { randomBytes } from "node:crypto";
import type { RemoteInfo, Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { hostPortAddress, type HostPort } from "./host-port.js";
import { CONNECTIONS_MAX } from "./limits.js";
import type { Connection, Listener, ListenOptions } from "./transport.js";
import { listenError, TransportError } from "./transport-error.js";
import { UdpConnection } from "./udp-connection.js";
import { COOKIE_BYTES, CookieJar } from "./udp-cookie.js";
import {
  type Datagram,
  datagram,
  ID_BYTES,
  isHelloOfOtherVersion,
  NO_ID,
  PAYLOAD_AT,
  payloadPart,
  readDatagram,
  REQUEST_BYTES,
  SHORT_ANSWER_BYTES,
} from "./udp-datagram.js";
import type { UdpShared } from "./udp-options.js";
import { closeSocket, udpSocket } from "./udp-socket.js";

// A dial lasts no longer than ten seconds.
const COOKIE_SECONDS_MAX = 15;

// Connections that ended a moment ago: a late copy of what opened one must not open it again. More are forgotten.
const ENDED_MAX = 10_000;

/** Listens; rejects as `Transport.listen` says. */
export async function listenUdp(
  address: string,
  at: HostPort,
  accept: (connection: Connection) => void,
  options: ListenOptions,
  shared: UdpShared,
): Promise<Listener> {
  let socket: Socket | undefined;
  try {
    const { address: host } = await lookup(at.host);
    socket = udpSocket(host);
    await bound(socket, host, at.port);
    return new UdpListener(socket, accept, options, shared);
  } catch (cause) {
    if (socket !== undefined) await closeSocket(socket).catch(() => {});
    throw listenError(cause, address);
  }
}

/** One connection of a listener, and who alone may speak on it. */
interface Entry {
  readonly connection: UdpConnection;
  readonly localId: Buffer;
  readonly dialKey: string;
  readonly address: string;
  readonly port: number;
}

class UdpListener implements Listener {
  readonly address: string;
  readonly #socket: Socket;
  readonly #accept: (connection: Connection) => void;
  readonly #options: ListenOptions;
  readonly #shared: UdpShared;
  readonly #jar = new CookieJar(COOKIE_SECONDS_MAX);
  readonly #byId = new Map<string, Entry>();
  /** The same ones, by what opened them. */
  readonly #byDial = new Map<string, Entry>();
  /** When they ended, oldest first. */
  readonly #ended = new Map<string, number>();
  #closed: Promise<void> | undefined;

  constructor(
    socket: Socket,
    accept: (connection: Connection) => void,
    options: ListenOptions,
    shared: UdpShared,
  ) {
    const { address, port } = socket.address();
    this.address = hostPortAddress("udp", address, port);
    this.#socket = socket;
    this.#accept = accept;
    this.#options = options;
    this.#shared = shared;
    socket.on("message", (bytes: Buffer, from) => this.#onDatagram(bytes, from));
    socket.on("error", (cause) => {
      this.#problem(new TransportError("accept-failed", `${this.address}: ${cause.message}`, {}, { cause }));
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onDatagram(bytes: Buffer, from: RemoteInfo): void {
    const { counters } = this.#shared;
    const arrived = readDatagram(bytes);
    if (typeof arrived === "object") return this.#take(arrived, from);
    switch (arrived) {
      case "foreign":
        counters.foreign++;
        return;
      case "damaged":
        counters.damaged++;
        return;
      case "malformed":
        counters.malformed++;
        return;
      case "other-version":
        counters.otherVersion++;
        if (isHelloOfOtherVersion(bytes)) {
          this.#answer(datagram("version", bytes.subarray(PAYLOAD_AT, PAYLOAD_AT + ID_BYTES)), from);
        }
        return;
    }
  }

  #take(arrived: Datagram, from: RemoteInfo): void {
    switch (arrived.kind) {
      case "hello":
        this.#onHello(arrived, from);
        return;
      case "open":
        this.#onOpen(arrived, from);
        return;
      default:
        this.#onConnected(arrived, from);
    }
  }

  /** Nothing is kept of who says hello: he must show first that he receives what is sent to his address. */
  #onHello(arrived: Datagram, from: RemoteInfo): void {
    if (this.#closed !== undefined) return;
    if (arrived.bytes.length < REQUEST_BYTES) {
      this.#shared.counters.malformed++;
      return;
    }
    const id = payloadPart(arrived, 0, ID_BYTES);
    this.#answer(datagram("cookie", id, [this.#jar.bake(id, from.address, from.port)]), from);
  }

  #onOpen(arrived: Datagram, from: RemoteInfo): void {
    if (this.#closed !== undefined) return;
    const id = Buffer.from(payloadPart(arrived, 0, ID_BYTES));
    const cookie = payloadPart(arrived, ID_BYTES, COOKIE_BYTES);
    if (arrived.bytes.length < REQUEST_BYTES || !this.#jar.isGood(cookie, id, from.address, from.port)) {
      this.#shared.counters.badCookie++;
      return;
    }
    const dialKey = `${id.toString("hex")} ${from.address} ${from.port}`;
    this.#forgetEnded();
    if (this.#ended.has(dialKey)) return;
    const known = this.#byDial.get(dialKey);
    if (known !== undefined) {
      this.#answer(datagram("accept", id, [known.localId]), from);
    } else if (this.#byId.size >= (this.#options.connectionsMax ?? CONNECTIONS_MAX)) {
      const remote = hostPortAddress("udp", from.address, from.port);
      this.#problem(
        new TransportError("limit", `${this.address} has as many connections as it accepts`, { remote }),
      );
      this.#answer(datagram("full", id), from);
    } else {
      this.#open(id, dialKey, from);
    }
  }

  #open(remoteId: Buffer, dialKey: string, { address, port }: RemoteInfo): void {
    const localId = randomBytes(ID_BYTES);
    const name = localId.toString("latin1");
    const connection = new UdpConnection(
      hostPortAddress("udp", address, port),
      remoteId,
      {
        send: (bytes, sent) => this.#socket.send(bytes, port, address, sent),
        release: async () => {
          this.#byId.delete(name);
          this.#byDial.delete(dialKey);
          if (this.#ended.size < ENDED_MAX) this.#ended.set(dialKey, performance.now());
        },
      },
      this.#shared,
    );
    const entry: Entry = { connection, localId, dialKey, address, port };
    this.#byId.set(name, entry);
    this.#byDial.set(dialKey, entry);
    this.#answer(datagram("accept", remoteId, [localId]), { address, port });
    this.#accept(connection);
  }

  #onConnected(arrived: Datagram, from: RemoteInfo): void {
    const { counters } = this.#shared;
    const id = arrived.bytes.subarray(PAYLOAD_AT - ID_BYTES, PAYLOAD_AT);
    const entry = this.#byId.get(id.toString("latin1"));
    if (entry === undefined) {
      counters.unknownConnection++;
      // An answer to an answer would go on for ever; what is shorter than its answer gets none.
      if (arrived.kind === "unknown" || arrived.kind === "gone") return;
      if (arrived.bytes.length >= SHORT_ANSWER_BYTES) this.#answer(datagram("unknown", NO_ID, [id]), from);
    } else if (entry.address !== from.address || entry.port !== from.port) {
      counters.wrongSource++;
    } else {
      entry.connection.take(arrived);
    }
  }

  #answer(bytes: Buffer, to: Pick<RemoteInfo, "address" | "port">): void {
    this.#socket.send(bytes, to.port, to.address, (error) => {
      if (error !== null) this.#shared.counters.unsent++;
    });
  }

  #forgetEnded(): void {
    const before = performance.now() - (COOKIE_SECONDS_MAX + 1) * 1_000;
    for (const [dialKey, at] of this.#ended) {
      if (at > before) return;
      this.#ended.delete(dialKey);
    }
  }

  #problem(problem: TransportError): void {
    this.#options.onProblem?.(problem);
  }

  async #end(): Promise<void> {
    await Promise.all([...this.#byId.values()].map(({ connection }) => connection.close()));
    await closeSocket(this.#socket);
  }
}

function bound(socket: Socket, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off("error", reject);
      resolve();
    });
  });
}
