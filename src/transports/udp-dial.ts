import { randomBytes } from "node:crypto";
import type { Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import type { HostPort } from "./host-port.js";
import { CONNECT_MS_MAX, HANDSHAKE_MS_MAX } from "./limits.js";
import type { Connection, DialOptions } from "./transport.js";
import { dialError, systemCode, TransportError } from "./transport-error.js";
import { UdpConnection } from "./udp-connection.js";
import { COOKIE_BYTES } from "./udp-cookie.js";
import {
  type Datagram,
  datagram,
  ID_BYTES,
  NO_ID,
  PAYLOAD_AT,
  payloadPart,
  readDatagram,
  REQUEST_BYTES,
  UDP_VERSION,
} from "./udp-datagram.js";
import type { UdpShared } from "./udp-options.js";
import { closeSocket, udpSocket } from "./udp-socket.js";

// What is not answered is asked again, after twice as long each time. Milliseconds.
const ASK_MS_FIRST = 50;
const ASK_MS_MAX = 1_000;

/** Asks, shows the cookie and is let in. Rejects when its socket is gone, as `Transport.dial` says. */
export async function dialUdp(
  address: string,
  at: HostPort,
  options: DialOptions,
  shared: UdpShared,
): Promise<Connection> {
  options.signal?.throwIfAborted();
  let host: string;
  try {
    host = (await lookup(at.host)).address;
  } catch (cause) {
    throw dialError(cause, address);
  }
  options.signal?.throwIfAborted();
  const dial = new UdpDial(address, udpSocket(host), options, shared);
  return dial.run({ host, port: at.port });
}

class UdpDial {
  readonly #address: string;
  readonly #socket: Socket;
  readonly #options: DialOptions;
  readonly #shared: UdpShared;
  readonly #id = randomBytes(ID_BYTES);
  /** Set once it is known that whoever answers receives at this address, too. */
  #cookie: Buffer | undefined;
  #connection: UdpConnection | undefined;
  /** What came instead of an answer, should none come. */
  #instead: "bad-magic" | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #asking: NodeJS.Timeout | undefined;
  #resolve: (connection: Connection) => void = () => {};
  #reject: (reason: unknown) => void = () => {};

  constructor(address: string, socket: Socket, options: DialOptions, shared: UdpShared) {
    this.#address = address;
    this.#socket = socket;
    this.#options = options;
    this.#shared = shared;
  }

  async run({ host, port }: HostPort): Promise<Connection> {
    const { signal, connectMsMax = CONNECT_MS_MAX } = this.#options;
    const connected = new Promise<Connection>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const onAbort = (): void => this.#reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#socket.on("error", (error) => this.#onError(error));
    this.#socket.on("message", (bytes: Buffer) => this.#onDatagram(bytes));
    this.#expire(connectMsMax, "timed-out", `did not answer within ${connectMsMax} ms`);
    // Only this peer's datagrams come in from here on, and the system tells when its port is closed.
    this.#socket.connect(port, host, () => this.#ask(ASK_MS_FIRST));
    try {
      return await connected;
    } catch (error) {
      this.#stopAsking();
      await closeSocket(this.#socket);
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #ask(pauseMs: number): void {
    const question =
      this.#cookie === undefined
        ? datagram("hello", NO_ID, [this.#id], REQUEST_BYTES)
        : datagram("open", NO_ID, [this.#id, this.#cookie], REQUEST_BYTES);
    this.#socket.send(question, (error) => {
      if (error !== null) this.#onError(error);
    });
    this.#asking = setTimeout(() => this.#ask(Math.min(2 * pauseMs, ASK_MS_MAX)), pauseMs);
  }

  #stopAsking(): void {
    clearTimeout(this.#asking);
    clearTimeout(this.#deadline);
  }

  #expire(msMax: number, code: "timed-out" | "handshake-timeout", words: string): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => {
      if (this.#instead === undefined) this.#fail(code, words);
      else this.#fail(this.#instead, "answers, but is no listener of this kind");
    }, msMax);
  }

  #fail(code: ConstructorParameters<typeof TransportError>[0], words: string): void {
    this.#reject(new TransportError(code, `${this.#address} ${words}`, { address: this.#address }));
  }

  #onError(error: Error): void {
    if (this.#connection === undefined) this.#reject(dialError(error, this.#address));
    else if (systemCode(error) === "ECONNREFUSED") this.#connection.refused();
    else this.#shared.counters.unsent++;
  }

  #onDatagram(bytes: Buffer): void {
    const { counters } = this.#shared;
    const arrived = readDatagram(bytes);
    if (typeof arrived === "object") return this.#take(arrived);
    if (arrived === "foreign") {
      counters.foreign++;
      this.#instead = "bad-magic";
    } else if (arrived === "other-version") {
      counters.otherVersion++;
      if (
        this.#connection !== undefined ||
        !this.#id.equals(bytes.subarray(PAYLOAD_AT - ID_BYTES, PAYLOAD_AT))
      )
        return;
      this.#fail("version", `speaks version ${bytes[2]} of the format, this side version ${UDP_VERSION}`);
    } else counters[arrived]++;
  }

  #take(arrived: Datagram): void {
    const id = arrived.bytes.subarray(PAYLOAD_AT - ID_BYTES, PAYLOAD_AT);
    // An unknown connection is named in the payload: its sender does not know what we are called.
    if (!this.#id.equals(id) && !(arrived.kind === "unknown" && this.#connection !== undefined)) {
      this.#shared.counters.unknownConnection++;
      return;
    }
    if (this.#connection !== undefined) return this.#connection.take(arrived);
    switch (arrived.kind) {
      case "cookie":
        this.#onCookie(Buffer.from(payloadPart(arrived, 0, COOKIE_BYTES)));
        return;
      case "accept":
        this.#onAccept(Buffer.from(payloadPart(arrived, 0, ID_BYTES)));
        return;
      case "full":
        this.#fail("limit", "has as many connections as it accepts");
        return;
      default:
        // Frames that have overtaken the answer are lost, as they may be.
        this.#shared.counters.unknownConnection++;
    }
  }

  #onCookie(cookie: Buffer): void {
    if (this.#cookie !== undefined) return;
    const { handshakeMsMax = HANDSHAKE_MS_MAX } = this.#options;
    this.#cookie = cookie;
    this.#expire(handshakeMsMax, "handshake-timeout", `did not let us in within ${handshakeMsMax} ms`);
    clearTimeout(this.#asking);
    this.#ask(ASK_MS_FIRST);
  }

  #onAccept(remoteId: Buffer): void {
    this.#stopAsking();
    this.#connection = new UdpConnection(
      this.#address,
      remoteId,
      {
        send: (bytes, sent) => this.#socket.send(bytes, sent),
        release: () => closeSocket(this.#socket),
      },
      this.#shared,
    );
    this.#resolve(this.#connection);
  }
}
