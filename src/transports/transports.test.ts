import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "vitest";
import { transportCompliance } from "../testing/transport-compliance.js";
import { createAuthority } from "./certificates.js";
import { createFifoTransport, fifoAddress } from "./fifo.js";
import { createMemoryTransport } from "./memory.js";
import { createTcpTransport } from "./tcp.js";
import { createTlsTransport } from "./tls.js";
import { createUdpTransport } from "./udp.js";
import { createUdsTransport, udsAddress } from "./uds.js";
import { createWebSocketTransport } from "./websocket.js";

transportCompliance(
  {
    name: "memory",
    create: () => {
      let count = 0;
      return { transport: createMemoryTransport(), address: () => `memory://test-${++count}` };
    },
  },
  { describe, test },
);

transportCompliance(
  { name: "tcp", create: () => ({ transport: createTcpTransport(), address: () => "tcp://127.0.0.1:0" }) },
  { describe, test },
);

transportCompliance(
  {
    name: "uds",
    create: async () => {
      const folder = await mkdtemp(join(tmpdir(), "lightcone-uds-"));
      let count = 0;
      return {
        transport: createUdsTransport(),
        address: () => udsAddress(join(folder, `${++count}.sock`)),
        dispose: () => rm(folder, { recursive: true }),
      };
    },
  },
  { describe, test },
);

transportCompliance(
  {
    name: "fifo",
    create: async () => {
      const folder = await mkdtemp(join(tmpdir(), "lightcone-fifo-"));
      let count = 0;
      return {
        transport: createFifoTransport(),
        address: () => fifoAddress(join(folder, `${++count}`)),
        dispose: () => rm(folder, { recursive: true }),
      };
    },
  },
  { describe, test },
);

transportCompliance(
  { name: "udp", create: () => ({ transport: createUdpTransport(), address: () => "udp://127.0.0.1:0" }) },
  { describe, test },
);

transportCompliance(
  {
    name: "ws",
    create: () => ({ transport: createWebSocketTransport(), address: () => "ws://127.0.0.1:0/" }),
  },
  { describe, test },
);

const authority = createAuthority();
const certified = authority.issue({ name: "test", hosts: ["127.0.0.1"] });

transportCompliance(
  {
    name: "tls",
    create: () => ({
      transport: createTlsTransport({ ...certified, ca: authority.cert }),
      address: () => "tls://127.0.0.1:0",
    }),
  },
  { describe, test },
);
