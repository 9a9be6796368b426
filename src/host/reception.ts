import { performance } from "node:perf_hooks";
import type { ProcessId } from "../core/index.js";
import type { Connection, Listener, Transport } from "../transports/index.js";
import { CONTROL_MS_MAX, ControlChannel, type FromParticipant } from "./control.js";
import { sameToken } from "./hello.js";
import type { Supervised } from "./supervised.js";

/** Connections to the control socket that have not said who they are; further ones are ended at once. */
const STRANGERS_MAX = 64;

export interface ReceptionOptions {
  readonly transport: Transport;
  readonly address: string;
  readonly token: string;
  readonly byName: ReadonlyMap<ProcessId, Supervised>;
  /** Somebody proved to be the participant that was started; its channel is set. */
  readonly onHello: (one: Supervised) => void;
  readonly onMessage: (one: Supervised, message: FromParticipant) => void;
}

/** The supervisor's control socket: lets in whom the supervisor has started, by token, name and pid. */
export class Reception implements AsyncDisposable {
  readonly #options: ReceptionOptions;
  readonly #strangers = new Set<Connection>();
  #listener: Listener | undefined;

  private constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** Rejects with the transport's error. */
  static async open(options: ReceptionOptions): Promise<Reception> {
    const reception = new Reception(options);
    const accept = (connection: Connection): void => reception.#accept(connection);
    reception.#listener = await options.transport.listen(options.address, accept, {
      handshakeMsMax: CONTROL_MS_MAX,
    });
    return reception;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stranger of this.#strangers) stranger.abort("the run is over");
    await this.#listener?.close();
  }

  #accept(connection: Connection): void {
    if (this.#strangers.size >= STRANGERS_MAX) {
      connection.abort("too many connections without a hello");
      return;
    }
    this.#strangers.add(connection);
    void connection.closed.then(() => this.#strangers.delete(connection));
    let one: Supervised | undefined;
    ControlChannel.ofSupervisor(connection, (message, channel) => {
      if (one !== undefined) {
        if (one.channel === channel) this.#options.onMessage(one, message);
        return;
      }
      one = this.#introduced(message);
      if (one === undefined) {
        connection.abort("not a participant of this run");
        return;
      }
      this.#strangers.delete(connection);
      one.channel = channel;
      one.heardMs = performance.now();
      this.#options.onHello(one);
    });
  }

  #introduced(message: FromParticipant): Supervised | undefined {
    if (message.kind !== "hello" || !sameToken(message.token, this.#options.token)) return undefined;
    const one = this.#options.byName.get(message.process);
    const expected =
      one?.channel === undefined && one?.phase === "starting" && one.child?.pid === message.pid;
    return expected ? one : undefined;
  }
}
