import { expect, test } from "vitest";
import { python, pythonProgram, runProgram, startProgram } from "./programs.js";
import { callOver, formatOf, Lines, parrot, portOf, say } from "./wire.js";

const hello = formatOf("hello");
const anywhere = "tcp://127.0.0.1:0";

test.runIf(python)(
  "twenty clients in Python at once are greeted (skipped where there is no python3)",
  async () => {
    await using server = await hello.serve({ at: anywhere, log: () => {} });
    const client = pythonProgram("hello-client", String(portOf(server.address)));
    const answers = await Promise.all(Array.from({ length: 20 }, () => runProgram(client)));
    expect(answers).toEqual(Array.from({ length: 20 }, () => "answer=Hello from server\n"));
    expect(server.served).toBe(20);
  },
);

test.runIf(python)(
  "a server in Python greets ours, one after the other (skipped where there is no python3)",
  async () => {
    const server = startProgram(pythonProgram("hello-server"));
    const [, port = ""] = await server.shown(/port (\d+)/);
    const to = `tcp://127.0.0.1:${port}`;
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => callOver(hello, to, "hello")));
    expect(outcomes).toEqual(outcomes.map(() => ({ kind: "ok", value: "Hello from server" })));
    await server.shown(/greeting=Hello from client/);
    server.stop();
  },
);

test.runIf(python)(
  "base64 both ways with a client in Python (skipped where there is no python3)",
  async () => {
    await using server = await hello.serve({ at: anywhere, log: () => {}, base64: true });
    const client = pythonProgram("hello-client", String(portOf(server.address)), "base64");
    expect(await runProgram(client)).toBe("answer=Hello from server\n");
  },
);

test("two thousand greetings, two hundred at a time", async () => {
  await using server = await hello.serve({ at: anywhere, log: () => {} });
  for (let round = 0; round < 10; round++) {
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, () => callOver(hello, server.address, "hello")),
    );
    expect(outcomes.every(({ kind }) => kind === "ok")).toBe(true);
  }
  expect(server.served).toBe(2_000);
});

test("base64 is the exact encoding of both texts, and the client says what it is worth", async () => {
  await using server = await hello.serve({ at: anywhere, log: () => {}, base64: true });
  expect(await say(server.address, "SGVsbG8gZnJvbSBjbGllbnQ=")).toBe("SGVsbG8gZnJvbSBzZXJ2ZXI=");
  const steps = new Lines();
  const outcome = await callOver(hello, server.address, "hello", { base64: true, step: steps.log });
  expect(outcome).toEqual({ kind: "ok", value: "Hello from server" });
  expect(steps.all.join("\n")).toContain("encoded, not encrypted");
});

test("a plain greeting at a server of base64 is told so", async () => {
  await using server = await hello.serve({ at: anywhere, log: () => {}, base64: true });
  expect(await callOver(hello, server.address, "hello")).toEqual({
    kind: "failed",
    reason: "this server takes its greeting in base64",
  });
});

test("an answer that is not base64 is not taken for one", async () => {
  await using server = await parrot("Hello from server");
  await expect(callOver(hello, server.address, "hello", { base64: true })).rejects.toMatchObject({
    code: "bad-reply",
  });
});
