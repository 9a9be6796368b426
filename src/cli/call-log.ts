import type { Plain } from "../core/index.js";
import type { Service } from "../protocols/index.js";
import type { Connection, Transport, TransportTable } from "../transports/index.js";

/**
 * Logs what a server does, a line for each connection, call and refusal, from outside: by what passes through its
 * transports and its service. Neither the server nor the services know of it.
 */
export class CallLog {
  readonly #log: (line: string) => void;
  /** Whose frame is being handled. */
  #caller = "a client";

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  transports(table: TransportTable): TransportTable {
    return Object.fromEntries(
      Object.entries(table).map(([scheme, transport]) => [scheme, this.#listening(transport)]),
    );
  }

  service<State>(service: Service<State>): Service<State> {
    return {
      ...service,
      check: (method, args) => {
        const problem = service.check(method, args);
        if (problem !== undefined) this.#log(`${this.#caller}: refused ${method} ${shown(args)}: ${problem}`);
        return problem;
      },
      handle: (state, method, args) => {
        const handled = service.handle(state, method, args);
        this.#log(`${this.#caller}: ${method} ${shown(args)} -> ${shown(handled.value)}`);
        return handled;
      },
    };
  }

  #listening(transport: Transport): Transport {
    return {
      scheme: transport.scheme,
      promises: transport.promises,
      dial: (address, options) => transport.dial(address, options),
      listen: (address, accept, options) =>
        transport.listen(address, (connection) => accept(this.#watched(connection)), options),
    };
  }

  #watched(connection: Connection): Connection {
    const { remote } = connection;
    this.#log(`${remote}: connected`);
    void connection.closed.then(({ code }) => this.#log(`${remote}: ended: ${code}`));
    const receive = connection.receive.bind(connection);
    connection.receive = (onFrame) =>
      receive((bytes, start, end) => {
        this.#caller = remote;
        try {
          onFrame(bytes, start, end);
        } finally {
          this.#caller = "a client";
        }
      });
    return connection;
  }
}

/** At most so much of arguments and values. */
const SHOWN_LENGTH_MAX = 500;

function shown(value: Plain): string {
  const text = JSON.stringify(value);
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
}
