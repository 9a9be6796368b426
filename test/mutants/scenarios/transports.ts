import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import type * as Transports from "../../../src/transports/index.js";
import type { Scenario } from "../mutant.js";

const HOSTS = ["127.0.0.1"];
const PAGE = "http://127.0.0.1:8080";

async function load(root: string): Promise<typeof Transports> {
  return import(new URL("transports/index.js", root).href);
}

function portOf(address: string): number {
  return Number(/:([0-9]+)\/?$/.exec(address)?.[1]);
}

/** Status of the answer to an upgrade with those headers; 101 when it was let in. */
function upgrade(port: number, headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({
      host: "127.0.0.1",
      port,
      headers: {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        ...headers,
      },
    });
    asked.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    asked.on("response", (response) => resolve(response.resume().statusCode));
    asked.on("error", reject).end();
  });
}

/** Connects, says nothing, and rejects unless the other side hangs up within 2 s. */
async function cutOff(address: string): Promise<void> {
  const socket = connect(portOf(address), "127.0.0.1").resume();
  await once(socket, "close", { signal: AbortSignal.timeout(2_000) }).catch(() => {
    throw new Error("a client that says nothing is still connected after 2 s");
  });
}

export const scenarios: readonly Scenario[] = [
  {
    name: "tls/strangers-stay-out",
    claim: "a listener accepts no connection without a certificate of its authority",
    async run(root) {
      const { createAuthority, createTlsTransport } = await load(root);
      const [ours, theirs] = [createAuthority(), createAuthority()];
      let accepted = 0;
      const listener = await createTlsTransport({
        ...ours.issue({ name: "listener", hosts: HOSTS }),
        ca: ours.cert,
      }).listen("tls://127.0.0.1:0", () => void accepted++);
      for (const shown of [{}, theirs.issue({ name: "stranger", hosts: HOSTS })]) {
        await createTlsTransport({ ...shown, ca: ours.cert })
          .dial(listener.address)
          .then(
            () => Promise.reject(new Error("a stranger was let in")),
            () => {},
          );
      }
      if (accepted > 0) throw new Error("a stranger was let in");
    },
  },
  {
    name: "tls/strangers-are-not-trusted",
    claim: "a dialler accepts no listener without a certificate of its authority for that host",
    async run(root) {
      const { createAuthority, createTlsTransport } = await load(root);
      const [ours, theirs] = [createAuthority(), createAuthority()];
      const dialler = createTlsTransport({ ...ours.issue({ name: "d", hosts: [] }), ca: ours.cert });
      for (const shown of [
        theirs.issue({ name: "stranger", hosts: HOSTS }),
        ours.issue({ name: "elsewhere", hosts: ["example.org"] }),
      ]) {
        const listener = await createTlsTransport({ ...shown, ca: ours.cert }).listen(
          "tls://127.0.0.1:0",
          () => {},
        );
        const outcome = await dialler.dial(listener.address).then(
          () => "it connected",
          (error: unknown) =>
            error instanceof Error && "code" in error ? String(error.code) : String(error),
        );
        if (outcome !== "bad-certificate") throw new Error(`a false listener: ${outcome}`);
      }
    },
  },
  {
    name: "tls/a-stalled-handshake-ends",
    claim: "a client that says nothing is cut off",
    async run(root) {
      const { createAuthority, createTlsTransport } = await load(root);
      const authority = createAuthority();
      const listener = await createTlsTransport({
        ...authority.issue({ name: "listener", hosts: HOSTS }),
        ca: authority.cert,
      }).listen("tls://127.0.0.1:0", () => {}, { handshakeMsMax: 100 });
      await cutOff(listener.address);
      await listener.close();
    },
  },
  {
    name: "websocket/pages-stay-out",
    claim: "only pages on the list and programs that say so are let in, under the listener's own names",
    async run(root) {
      const { createWebSocketTransport } = await load(root);
      const listener = await createWebSocketTransport({ origins: [PAGE] }).listen(
        "ws://127.0.0.1:0/",
        () => {},
      );
      const port = portOf(listener.address);
      const cases: readonly (readonly [Readonly<Record<string, string>>, number])[] = [
        [{ Origin: PAGE }, 101],
        [{ "Lightcone-Participant": "1" }, 101],
        [{ Origin: "http://evil.example" }, 403],
        [{ Origin: "null", "Lightcone-Participant": "1" }, 403],
        [{}, 403],
        [{ Origin: PAGE, Host: `evil.example:${port}` }, 421],
      ];
      for (const [headers, expected] of cases) {
        const status = await upgrade(port, headers);
        if (status !== expected) throw new Error(`${JSON.stringify(headers)}: ${status} and not ${expected}`);
      }
    },
  },
  {
    name: "websocket/messages-are-bounded",
    claim: "a message that announces more than 65 KiB ends the connection at once",
    async run(root) {
      const { createWebSocketTransport } = await load(root);
      const listener = await createWebSocketTransport().listen("ws://127.0.0.1:0/", () => {}, {
        handshakeMsMax: 10_000,
      });
      const port = portOf(listener.address);
      const socket = connect(port, "127.0.0.1").resume();
      socket.write(
        `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nLightcone-Participant: 1\r\nConnection: Upgrade\r\n` +
          "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
      // Binary, masked, 1 MiB long; of which nothing follows.
      socket.write(Buffer.from("82ff000000000010000000000000", "hex"));
      await once(socket, "close", { signal: AbortSignal.timeout(3_000) }).catch(() => {
        throw new Error("1 MiB was announced, and the connection stayed");
      });
    },
  },
  {
    name: "websocket/a-stalled-handshake-ends",
    claim: "a client that says nothing is cut off",
    async run(root) {
      const { createWebSocketTransport } = await load(root);
      const listener = await createWebSocketTransport().listen("ws://127.0.0.1:0/", () => {}, {
        handshakeMsMax: 100,
      });
      await cutOff(listener.address);
      await listener.close();
    },
  },
];
