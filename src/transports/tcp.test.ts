import { connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { UsageError } from "../core/index.js";
import { createTcpTransport, parseTcpAddress } from "./tcp.js";

const tcp = createTcpTransport();

test("an address is a host and a port, IPv6 in brackets", () => {
  expect(parseTcpAddress("tcp://127.0.0.1:7001")).toEqual({ host: "127.0.0.1", port: 7001 });
  expect(parseTcpAddress("tcp://[::1]:0")).toEqual({ host: "::1", port: 0 });
  expect(parseTcpAddress("tcp://node-1.example.org:65535")).toEqual({
    host: "node-1.example.org",
    port: 65_535,
  });
});

test.each([
  "127.0.0.1:7001",
  "tcp://127.0.0.1",
  "tcp://:7001",
  "tcp://127.0.0.1:65536",
  "tcp://127.0.0.1:-1",
  "tcp://127.0.0.1:1e3",
  "tcp://::1:7001",
  "tcp://[127.0.0.1]:7001",
  "tcp://[::1:7001",
  "tcp://user@host:7001",
  "tcp://host:7001/path",
  "udp://host:7001",
])("I02: %s is refused in one line that shows the form", (address) => {
  expect(() => parseTcpAddress(address)).toThrow(UsageError);
  expect(() => parseTcpAddress(address)).toThrow(
    /^tcp:\/\/HOST:PORT expected, such as tcp:\/\/127\.0\.0\.1:7001; got /,
  );
});

test("a hostile address cannot reach the terminal", () => {
  expect(() => parseTcpAddress("tcp://\x1b[2J:1")).toThrow(/\\u001b/);
});

test("C17: IPv6 connects, and is printed in brackets", async () => {
  await using listener = await tcp.listen("tcp://[::1]:0", (connection) => void connection.close());
  expect(listener.address).toMatch(/^tcp:\/\/\[::1\]:[1-9]/);
  const connection = await tcp.dial(listener.address);
  expect((await connection.closed).code).toBe("closed");
});

test("a port that somebody else has is in use, and named", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const bound = other.address();
  const address = `tcp://127.0.0.1:${bound === null || typeof bound === "string" ? 0 : bound.port}`;
  await expect(tcp.listen(address, () => {})).rejects.toMatchObject({
    code: "address-in-use",
    message: expect.stringContaining(address),
  });
  await new Promise((resolve) => other.close(resolve));
});

test("port 0 cannot be dialled", async () => {
  await expect(tcp.dial("tcp://127.0.0.1:0")).rejects.toThrow(UsageError);
});

test("C04: a listener comes back on its port, again and again", async () => {
  const first = await tcp.listen("tcp://127.0.0.1:0", () => {});
  const { address } = first;
  await first.close();
  for (let i = 0; i < 20; i++) {
    await using listener = await tcp.listen(address, () => {});
    const connection = await tcp.dial(listener.address);
    connection.abort();
    await connection.closed;
  }
});

test("C03: silent clients do not keep a good one from its handshake", async () => {
  await using listener = await tcp.listen("tcp://127.0.0.1:0", (connection) => void connection.close());
  const port = Number(listener.address.slice(listener.address.lastIndexOf(":") + 1));
  const silent = Array.from({ length: 200 }, () => connect(port, "127.0.0.1").on("error", () => {}));
  const connection = await tcp.dial(listener.address, { handshakeMsMax: 1_000 });
  expect((await connection.closed).code).toBe("closed");
  for (const socket of silent) socket.destroy();
});
