import type { Mutant } from "./mutant.js";

const TLS = "src/transports/tls.ts";
const ENTRANCE = "src/transports/websocket-entrance.ts";
const ADMISSION = "src/transports/websocket-admission.ts";
const STREAM = "src/transports/websocket-stream.ts";

/** Holes in the transports that decide who comes in: TLS and WebSockets. */
export const mutants: readonly Mutant[] = [
  {
    id: "TLS-1",
    family: "tls",
    file: TLS,
    find: "        rejectUnauthorized: true,",
    replace: "        rejectUnauthorized: false,",
    why: "A listener asks for certificates and takes whatever it is shown.",
    scenario: "tls/strangers-stay-out",
  },
  {
    id: "TLS-2",
    family: "tls",
    file: TLS,
    find: 'minVersion: "TLSv1.3", rejectUnauthorized: true }',
    replace: 'minVersion: "TLSv1.3", rejectUnauthorized: false }',
    why: "A dialler talks to whoever answers: anybody in between can be the listener.",
    scenario: "tls/strangers-are-not-trusted",
  },
  {
    id: "TLS-3",
    family: "tls",
    file: TLS,
    find: 'requestCert: clients === "certified"',
    replace: "requestCert: false",
    why: "Authentication is no longer mutual: everybody may dial.",
    scenario: "tls/strangers-stay-out",
  },
  {
    id: "TLS-4",
    family: "tls",
    file: TLS,
    find: "rejectUnauthorized: true });",
    replace: "rejectUnauthorized: true, checkServerIdentity: () => undefined });",
    why: "Any certificate of the authority will do, whichever host it is for.",
    scenario: "tls/strangers-are-not-trusted",
  },
  {
    id: "TLS-5",
    family: "tls",
    file: TLS,
    find: "        else below?.destroy();",
    replace: "",
    why: "Node ends no handshake that takes too long, so silent clients stay for ever.",
    scenario: "tls/a-stalled-handshake-ends",
  },
  {
    id: "WS-1",
    family: "websocket",
    file: ADMISSION,
    find: "!origins.has(origin)",
    replace: "false",
    why: "Any page that a user of this machine looks at can join the run.",
    scenario: "websocket/pages-stay-out",
  },
  {
    id: "WS-2",
    family: "websocket",
    file: ADMISSION,
    find: "!hosts.has(host)",
    replace: "false",
    why: "A page reaches the listener by a name of its own (DNS rebinding).",
    scenario: "websocket/pages-stay-out",
  },
  {
    id: "WS-3",
    family: "websocket",
    file: ADMISSION,
    find: 'claim.participant.join() !== "1"',
    replace: "false",
    why: "Whatever hides its origin is taken for a program.",
    scenario: "websocket/pages-stay-out",
  },
  {
    id: "WS-4",
    family: "websocket",
    file: STREAM,
    find: "maxPayload: MESSAGE_BYTES_MAX,",
    replace: "maxPayload: 2 ** 30,",
    why: "A stranger makes a listener keep a gigabyte before it has said who it is.",
    scenario: "websocket/messages-are-bounded",
  },
  {
    id: "WS-5",
    family: "websocket",
    file: ENTRANCE,
    find: "          socket.destroy();\n        }, handshakeMsMax);",
    replace: "        }, handshakeMsMax);",
    why: "Whoever connects and asks for nothing stays for ever.",
    scenario: "websocket/a-stalled-handshake-ends",
  },
];
