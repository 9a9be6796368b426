import { preamble } from "../wire/index.js";
import { CONNECTIONS_MAX, HANDSHAKE_MS_MAX } from "./limits.js";
import type { StreamShared, StreamSocket } from "./stream-connection.js";
import { StreamConnection } from "./stream-connection.js";
import type { Connection, ListenOptions } from "./transport.js";
import { TransportError } from "./transport-error.js";

/** The preamble stands before it, on a line of its own that no program takes for an answer. */
const TO_STRANGERS =
  "\nLightcone: binary frames are spoken here, and what came is text. Connect with a program of Lightcone's.\n";

/** Turns sockets that came in into accepted connections: counts them, shakes hands, tells of those that fail. */
export class StreamAdmission {
  readonly #address: string;
  readonly #accept: (connection: Connection) => void;
  readonly #options: ListenOptions;
  readonly #shared: StreamShared;
  readonly #ready = new Set<Connection>();
  readonly #pending = new Set<StreamConnection>();

  constructor(
    address: string,
    accept: (connection: Connection) => void,
    options: ListenOptions,
    shared: StreamShared,
  ) {
    this.#address = address;
    this.#accept = accept;
    this.#options = options;
    this.#shared = shared;
  }

  take(socket: StreamSocket, remote: string): void {
    const { connectionsMax = CONNECTIONS_MAX, handshakeMsMax = HANDSHAKE_MS_MAX } = this.#options;
    if (this.#pending.size + this.#ready.size >= connectionsMax) {
      this.problem(
        new TransportError("limit", `${this.#address} has as many connections as it accepts`, { remote }),
      );
      // An error here is the other side's haste to leave.
      socket.on("error", () => socket.destroy());
      socket.ending?.("limit");
      socket.end(preamble("full"));
      socket.destroySoon();
      return;
    }
    const connection = new StreamConnection(
      socket,
      remote,
      this.#shared,
      handshakeMsMax,
      this.#onReady,
      TO_STRANGERS,
    );
    this.#pending.add(connection);
    void connection.closed.then((reason) => {
      this.#ready.delete(connection);
      if (!this.#pending.delete(connection) || reason.code === "closed") return;
      const code = reason.code === "reset" || reason.code === "aborted" ? "closed" : reason.code;
      if (code === "frame-timeout") return;
      this.problem(new TransportError(code, `${remote}: ${reason.detail}`, { remote }));
    });
  }

  readonly #onReady = (connection: StreamConnection): void => {
    this.#pending.delete(connection);
    this.#ready.add(connection);
    this.#accept(connection);
  };

  problem(problem: TransportError): void {
    this.#options.onProblem?.(problem);
  }

  /** Closes every connection, in order. */
  async close(): Promise<void> {
    await Promise.all([...this.#pending, ...this.#ready].map((connection) => connection.close()));
  }
}
