import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePythonFloat, pythonFloat } from "../../src/interop/index.js";
import { python, pythonProgram, runProgram, startProgram } from "./programs.js";
import { allOf, callOver, formatOf, Lines, parrot, plug, portOf, say } from "./wire.js";

const calculator = formatOf("calculator");
const anywhere = "tcp://127.0.0.1:0";
const serve = (log: (line: string) => void = () => {}) => calculator.serve({ at: anywhere, log });

test.runIf(python)(
  "clients in Python, many at once, get their products (skipped where there is no python3)",
  async () => {
    await using server = await serve();
    const pairs = [
      ["5", "10", "50.0"],
      ["0.1", "1", "0.1"],
      ["1e11", "1e11", "1e+22"],
      ["1e300", "1e300", "inf"],
      ["inf", "0", "nan"],
      ["-0.0", "3", "-0.0"],
      ["1_000", ".5", "500.0"],
      ["five", "10", 'error: "five" is not a number; write digits, such as 5 or -2.5'],
    ] as const;
    const port = String(portOf(server.address));
    const printed = await Promise.all(
      pairs.map(([a, b]) => runProgram(pythonProgram("multiplication-client", port, a, b))),
    );
    // Where one read ends is TCP's business; see the next test.
    const together = printed.map((text) => text.replace("ack=", "").replace("\nresult=", ""));
    expect(together).toEqual(pairs.map(([, , result]) => `Data received${result}\n`));
  },
);

test.runIf(python).each(["apart", "together", "slow"])(
  "a server in Python that writes %s multiplies for ours (skipped where there is no python3)",
  async (how) => {
    const server = startProgram(pythonProgram("multiplication-server", how));
    const [, port = ""] = await server.shown(/port (\d+)/);
    const to = `tcp://127.0.0.1:${port}`;
    const steps = new Lines();
    const outcomes = await Promise.all([
      callOver(calculator, to, "multiply 5 10", { step: steps.log }),
      callOver(calculator, to, "multiply 0.1 1"),
      callOver(calculator, to, "multiply 1e300 1e300"),
      callOver(calculator, to, "multiply inf 0"),
    ]);
    expect(outcomes.map((outcome) => outcome.kind === "ok" && outcome.value)).toEqual([
      "50.0",
      "0.1",
      "inf",
      "nan",
    ]);
    expect(steps.all).toEqual(['sent "5 10"', "acknowledged: Data received"]);
    server.stop();
  },
);

test.runIf(python)(
  "a server that ends before its result leaves the outcome unknown (skipped where there is no python3)",
  async () => {
    const server = startProgram(pythonProgram("multiplication-server", "crash"));
    const [, port = ""] = await server.shown(/port (\d+)/);
    expect(await callOver(calculator, `tcp://127.0.0.1:${port}`, "multiply 5 10")).toMatchObject({
      kind: "unknown",
      reason: expect.stringContaining("acknowledged and closed without a result"),
    });
    server.stop();
  },
);

// A process that is kept from running for 100 ms reads both at once: hence the retries.
test.runIf(python)(
  "a client that reads once for each write gets one by one (skipped where there is no python3)",
  { retry: 3 },
  async () => {
    await using server = await serve();
    const client = pythonProgram("multiplication-client", String(portOf(server.address)), "5", "10");
    expect(await runProgram(client)).toBe("ack=Data received\nresult=50.0\n");
  },
);

test("what is sent is two words, what comes back two writes", { retry: 3 }, async () => {
  await using server = await serve();
  const socket = await plug(server.address);
  const writes: string[] = [];
  socket.on("data", (chunk: Buffer) => writes.push(chunk.toString()));
  socket.write("5 10");
  await new Promise((resolve) => socket.once("end", resolve));
  expect(writes).toEqual(["Data received", "50.0"]);
  socket.destroy();
});

test("a request may end by a newline", async () => {
  await using server = await serve();
  expect(await say(server.address, "6 7\r\n")).toBe("Data received42.0");
});

// On a machine that stands still for 20 ms the pieces are too far apart: hence the retries.
test("a request in pieces, some milliseconds apart, is one request", { retry: 3 }, async () => {
  await using server = await serve();
  const socket = await plug(server.address);
  const reply = allOf(socket);
  for (const byte of "12 3456") {
    socket.write(byte);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(await reply).toBe("Data received41472.0");
  socket.destroy();
});

test("any two doubles come back multiplied", async () => {
  await using server = await serve();
  await fc.assert(
    fc.asyncProperty(fc.double(), fc.double(), async (a, b) => {
      const outcome = await callOver(
        calculator,
        server.address,
        `multiply ${pythonFloat(a)} ${pythonFloat(b)}`,
      );
      const text = outcome.kind === "ok" && typeof outcome.value === "string" ? outcome.value : "";
      expect(parsePythonFloat(text)).toBe(a * b);
    }),
    { numRuns: 30 },
  );
});

test("our dialect has the calculator's other operations and its rules", async () => {
  await using server = await serve();
  const results = await Promise.all(
    ["add 5 10", "subtract 5 10", "divide 1 3", "power 2 10", "root 9 2", "divide 1 0", "root -4 2"].map(
      (words) => callOver(calculator, server.address, words),
    ),
  );
  expect(results).toEqual([
    { kind: "ok", value: "15.0" },
    { kind: "ok", value: "-5.0" },
    { kind: "ok", value: "0.3333333333333333" },
    { kind: "ok", value: "1024.0" },
    { kind: "ok", value: "3.0" },
    { kind: "failed", reason: "division by zero; give a divisor other than 0" },
    { kind: "failed", reason: "root of -4 and 2 is not a real number" },
  ]);
});

test.each([
  ["five 10\n", '"five" is not a number'],
  ["5\n", "two numbers are needed, such as 5 10; 1 given"],
  ["1 2 3\n", "two numbers are needed, such as 5 10; 3 given"],
  ["multply 2 3\n", "did you mean multiply?"],
  ["multiply 1e300 1e300\n", "beyond 1.8e308"],
  ["\n\n5 \0 10", "control characters"],
  ["5 \x1b[2J\n", "control characters"],
  [Buffer.from("5 \xff\xfe\n", "latin1"), "not UTF-8"],
  [`${"9".repeat(2_000)} 1`, "longer than 1024 bytes"],
  [Buffer.from("c34c434e01000000", "hex"), "call it with --classic"],
])(
  "%j is refused in words, in one line of the log, and the next client is served",
  async (request, reason) => {
    const lines = new Lines();
    await using server = await serve(lines.log);
    const reply = await say(server.address, request);
    expect(reply).toMatch(/^Data receivederror: /);
    expect(reply).toContain(reason);
    expect(lines.all).toHaveLength(1);
    expect(lines.all[0]).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+: refused: /);
    // oxlint-disable-next-line no-control-regex -- none may be left
    expect(lines.all[0]).not.toMatch(/[\x00-\x1f]/);
    expect(await say(server.address, "5 10")).toBe("Data received50.0");
  },
);

test("replies of no server of the format are named, not believed", async () => {
  for (const [reply, code] of [
    ["Data received\x1b[31m", "bad-reply"],
    ["HTTP/1.1 400 Bad Request\r\n\r\n", "bad-reply"],
    [Buffer.alloc(100_000, 0x41), "bad-reply"],
    [Buffer.from([0xff, 0xfe, 0x00]), "bad-reply"],
    [Buffer.from("c34c434e01000000", "hex"), "frames"],
  ] as const) {
    await using server = await parrot(reply);
    const called = callOver(calculator, server.address, "multiply 5 10");
    await expect(called).rejects.toMatchObject({ code });
    // oxlint-disable-next-line no-control-regex -- none may be left
    await expect(called).rejects.toThrow(/^[^\x00-\x1f]*$/);
  }
});
