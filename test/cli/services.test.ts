import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import { lightcone, mainFile, start } from "../support/lightcone.js";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "lightcone-serve-"));
const servers: ChildProcess[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.kill("SIGKILL");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Starts `lightcone serve`; gives the process and its address, once it listens. */
function serve(...args: string[]): Promise<{ server: ChildProcess; address: string }> {
  const server = spawn(process.execPath, [mainFile, "serve", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  servers.push(server);
  return new Promise((resolve, reject) => {
    let printed = "";
    server.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      printed += chunk;
      const address = / at (\S+), /.exec(printed)?.[1];
      if (address !== undefined) resolve({ server, address });
    });
    server.once("exit", () => reject(new Error(`it ended without listening: ${printed}`)));
  });
}

const call = (...args: string[]) => lightcone(["call", ...args]);

const certificates = join(folder, "certificates");
const FILES = ["cert", "key", "ca"].flatMap((name) => [`--${name}`, join(certificates, `${name}.pem`)]);
beforeAll(async () => {
  expect(await lightcone(["certificates", certificates])).toMatchObject({ status: 0 });
});

test.each([
  ["tcp://127.0.0.1:0", []],
  ["tls://127.0.0.1:0", FILES],
  [`uds://${join(folder, "calculator.sock")}`, []],
  [`fifo://${join(folder, "calculator.fifo")}`, []],
  ["udp://127.0.0.1:0", []],
  ["ws://127.0.0.1:0/", []],
])("a calculator is served at %s, and called from the command line", async (listen, files) => {
  const { address } = await serve("calculator", "--listen", listen, ...files);
  expect(await call("calculator", "multiply", "5", "10", "--to", address, ...files)).toMatchObject({
    status: 0,
    stdout: "50\n",
  });
  const json = await call("calculator", "subtract", "--to", address, ...files, "--json", "--", "-5", "1e3");
  expect(JSON.parse(json.stdout)).toEqual({ kind: "ok", value: -1005 });
});

test.each([
  ["hello", [], "tcp://127.0.0.1:0", []],
  ["hello", ["--classic", "--base64"], "tcp://127.0.0.1:0", []],
  ["calculator", [], "tls://127.0.0.1:0", FILES],
  ["calculator", [], `uds://${join(folder, "Ana's place.sock")}`, []],
])(
  "the call that serve %s %j at %s prints runs as it stands, in a shell",
  async (service, flags, at, files) => {
    const server = start(["serve", service, "--listen", at, ...flags, ...files]);
    try {
      const [, line = ""] = await server.shown(/ {2}lightcone (call .*)\n/);
      const { stdout } = await run("sh", ["-c", `"${process.execPath}" "${mainFile}" ${line}`]);
      expect(stdout).toMatch(/^(?:Hello|10\n)/i);
    } finally {
      server.signal("SIGINT");
    }
    expect(await server.ended).toMatchObject({ status: 0 });
  },
);

test("the command that serve chat prints has the certificates, too", async () => {
  const server = start(["serve", "chat", "--listen", "tls://127.0.0.1:0", ...FILES]);
  const [, line = ""] = await server.shown(/ {2}lightcone (chat .*)\n/);
  const { stdout } = await run("sh", ["-c", `echo Hi | "${process.execPath}" "${mainFile}" ${line}`]);
  expect(stdout).toMatch(/Hi/);
  server.signal("SIGINT");
  expect(await server.ended).toMatchObject({ status: 0 });
});

test("over TLS, only whoever has a certificate is served", async () => {
  const { address } = await serve("hello", "--listen", "tls://127.0.0.1:0", ...FILES);
  const strangers = join(folder, "strangers");
  await lightcone(["certificates", strangers]);
  const theirs = FILES.map((word) => word.replace(certificates, strangers));
  const distrusted = await call("hello", "hello", "Ana", "--to", address, ...theirs);
  expect(distrusted).toMatchObject({ status: 4, stdout: "" });
  expect(distrusted.stderr).toMatch(/^lightcone: .*an authority that is not trusted here.*\n$/);
  const trusting = theirs.with(-1, join(certificates, "ca.pem"));
  const refused = await call("hello", "hello", "Ana", "--to", address, ...trusting);
  expect(refused).toMatchObject({ status: 4, stdout: "" });
});

test.each<[string[], RegExp]>([
  [["--listen", "tls://127.0.0.1:0"], /takes --cert, --key and --ca; lightcone certificates DIR makes/],
  [["--listen", "tcp://127.0.0.1:0", ...FILES], /are for tls:\/\/ addresses; tcp:\/\/127.0.0.1:0 is none/],
  [["--listen", "tls://127.0.0.1:0", "--cert", "c"], /go together/],
])("serve %j: status 2, one line", async (words, answer) => {
  const { status, stdout, stderr } = await lightcone(["serve", "hello", ...words]);
  expect(stderr).toMatch(answer);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect([status, stdout]).toEqual([2, ""]);
});

test("random numbers arrive one to a line; a seed gives the same ones again", async () => {
  const { address } = await serve("random-numbers", "--listen", "tcp://127.0.0.1:0");
  const seeded = await call("random-numbers", "draw", "5", "10", "42", "--to", address);
  expect(seeded).toMatchObject({ status: 0, stderr: "" });
  const numbers = seeded.stdout.trim().split("\n").map(Number);
  expect(numbers).toHaveLength(5);
  for (const number of numbers) expect(number >= 1 && number <= 10).toBe(true);
  expect((await call("random-numbers", "draw", "5", "10", "42", "--to", address)).stdout).toBe(seeded.stdout);
  const many = await call("random-numbers", "draw", "10000", "1000000", "--to", address);
  expect(many.stdout.trim().split("\n")).toHaveLength(10_000);
  const none = await call("random-numbers", "draw", "0", "10", "--to", address);
  expect(none).toMatchObject({ status: 2, stdout: "" });
});

test("what cannot be called is refused in a line", async () => {
  const { address } = await serve("hello", "--listen", `uds://${join(folder, "hello.sock")}`);
  const refused: [string[], number, RegExp][] = [
    [["calculator", "divide", "1", "0"], 2, /^lightcone: divide: division by zero; .*\n$/],
    [["calculator", "add", "1", "two"], 2, /^lightcone: "two" is not a number; .*\n$/],
    [["calculator", "add", "1"], 2, /^lightcone: add takes 2 arguments, a and b; 1 given\n$/],
    [["calculator", "ad", "1", "2"], 2, /did you mean "add"\?/],
    [["calculater", "add", "1", "2"], 2, /unknown service "calculater"; did you mean "calculator"\?/],
    [["calculator", "add", "1", "2"], 4, /here is the service hello\n$/],
  ];
  for (const [words, status, stderr] of refused) {
    const given = await call(...words, "--to", address);
    expect(given).toMatchObject({ status, stdout: "" });
    expect(given.stderr).toMatch(stderr);
  }
  const nobody = await call("hello", "hello", "Ana", "--to", `uds://${join(folder, "nobody.sock")}`);
  expect(nobody).toMatchObject({ status: 4 });
  expect(nobody.stderr).toMatch(/^lightcone: nobody listens at .*\n$/);
});

test("what a server killed with -9 had counted, its successor goes on counting", async () => {
  const socket = `uds://${join(folder, "killed.sock")}`;
  const data = join(folder, "hello.json");
  for (let greeting = 1; greeting <= 3; greeting++) {
    const { server, address } = await serve("hello", "--listen", socket, "--data", data);
    expect(await call("hello", "hello", "Ana", "--to", address)).toMatchObject({
      stdout: `Hello from server, Ana (greeting ${greeting})\n`,
    });
    server.kill("SIGKILL");
    await once(server, "exit");
  }
});

test("Ctrl-C ends a server in order, and leaves no socket", async () => {
  const path = join(folder, "ended.sock");
  const { server } = await serve("hello", "--listen", `uds://${path}`);
  server.kill("SIGINT");
  expect(await once(server, "exit")).toEqual([0, null]);
  expect(existsSync(path)).toBe(false);
});

test("Ctrl-C ends a call that is still connecting, without a word", async () => {
  const silent = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void silent.close());
  await once(silent, "listening");
  const address = silent.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  const met = once(silent, "connection");
  const call = start([
    "call",
    "hello",
    "hello",
    "Ana",
    "--deadline",
    "1m",
    "--to",
    `tcp://127.0.0.1:${address.port}`,
  ]);
  await met;
  call.signal("SIGINT");
  expect(await call.ended).toEqual({ status: 130, stdout: "", stderr: "" });
});

test("a name may have spaces: text that comes last takes all that is left", async () => {
  const { address } = await serve("hello", "--listen", "tcp://127.0.0.1:0");
  const { stdout } = await lightcone(["call", "hello", "hello", "Ana", "Maria", "--to", address]);
  expect(stdout).toContain("Ana Maria");
});
