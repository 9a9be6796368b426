import { connect } from "node:net";
import { WebSocket } from "ws";
import { escapeText } from "../core/index.js";
import type { HostPort } from "./host-port.js";
import type { Way } from "./stream-transport.js";
import { dialError, systemCode, TransportError } from "./transport-error.js";
import { PARTICIPANT_HEADER } from "./websocket-admission.js";
import { WebSocketStream, webSocketLimits } from "./websocket-stream.js";

/** How a program that is no browser opens a WebSocket. Follows no redirection and asks no proxy. */
export function webSocketWay(address: string, { host, port }: HostPort, closeMsMax: number): Way {
  return {
    open() {
      const webSocket = new WebSocket(address, {
        ...webSocketLimits(closeMsMax),
        // A mask keeps a page's script from choosing the bytes that a careless proxy sees (RFC 6455, 10.3). We run no
        // strangers' scripts, and masking at both ends takes some 40 % of the throughput of large frames.
        generateMask: (mask) => void mask.fill(0),
        headers: { [PARTICIPANT_HEADER]: "1" },
        createConnection: () => {
          const socket = connect({ host, port, noDelay: true });
          socket.once("connect", () => stream.emit("connect"));
          return socket;
        },
      });
      const stream = new WebSocketStream(webSocket);
      return stream;
    },
    ready: "open",
    explain: (cause) => webSocketDialError(cause, address),
  };
}

function webSocketDialError(cause: Error, address: string): TransportError {
  const facts = { address };
  const status = /^Unexpected server response: ([0-9]{3})$/.exec(cause.message)?.[1];
  if (status === "403" || status === "421") {
    return new TransportError(
      "not-permitted",
      `${address} does not let this side in (HTTP ${status})`,
      facts,
      { cause },
    );
  }
  if (status !== undefined) {
    return new TransportError(
      "bad-magic",
      `${address} is no WebSocket of ours: it answered HTTP ${status}`,
      facts,
      {
        cause,
      },
    );
  }
  const system = systemCode(cause);
  if (system === "ECONNRESET") {
    return new TransportError("refused", `${address} ended the connection before its handshake`, facts, {
      cause,
    });
  }
  if (system === "" || system.startsWith("HPE_")) {
    const what = escapeText(cause.message.slice(0, 100));
    return new TransportError("bad-magic", `${address} does not speak WebSocket: ${what}`, facts, { cause });
  }
  return dialError(cause, address);
}
