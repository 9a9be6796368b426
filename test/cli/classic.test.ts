import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { lightcone, mainFile, start, type Started } from "../support/lightcone.js";

const folder = mkdtempSync(join(tmpdir(), "lightcone-classic-"));
const running = new Set<Started | ChildProcess>();
afterAll(() => {
  for (const one of running) {
    if ("signal" in one) one.signal("SIGKILL");
    else one.kill("SIGKILL");
  }
  rmSync(folder, { recursive: true });
});

async function serve(...args: string[]): Promise<{ server: Started; address: string }> {
  const server = start(["serve", ...args, "--listen", "tcp://127.0.0.1:0"]);
  running.add(server);
  const [, address = ""] = await server.shown(/ at (tcp:\S+),/);
  return { server, address };
}

/** Runs `lightcone call …` with lines on standard input. */
function typed(
  args: readonly string[],
  input: string,
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [mainFile, "call", ...args]);
  running.add(child);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.end(input);
  return new Promise((resolve) => child.once("close", (status) => resolve({ status, stdout, stderr })));
}

test("every classic service is served and called as its own first lines say", async () => {
  for (const [service, answer] of [
    ["hello", /^Hello from server\n$/],
    ["calculator", /^50\.0\n$/],
    ["random-numbers", /^(?:(?:[1-9]|10)\n){5}$/],
  ] as const) {
    const { server, address } = await serve(service, "--classic");
    const [, line = ""] = await server.shown(/ {2}lightcone (call .*)\n/);
    const called = await lightcone(line.split(" "));
    expect(called).toMatchObject({ status: 0, stderr: "", stdout: expect.stringMatching(answer) });
    const json = await lightcone([...line.split(" "), "--json", "--verbose"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ kind: "ok" });
    expect(json.stderr).not.toBe("");
    server.signal("SIGINT");
    expect(await server.ended).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/ended; 2 calls answered\n$/),
    });
    const nobody = await lightcone(line.split(" "));
    expect(nobody).toMatchObject({ status: 4, stderr: `lightcone: nobody listens at ${address}\n` });
  }
});

test("what is no classic call is refused in a line", async () => {
  const { address } = await serve("calculator", "--classic");
  const refused: [string[], number, RegExp][] = [
    [["calculator", "multiply", "5", "ten", "--classic"], 2, /"ten" is not a number/],
    [["calculator", "multiply", "5", "--classic"], 2, /takes two numbers; 1 given/],
    [["calculator", "multply", "5", "1", "--classic"], 2, /did you mean multiply\?/],
    [["calculator", "divide", "5", "0", "--classic"], 2, /failed: division by zero/],
    [["calculator", "multiply", "5", "10", "--classic", "--deadline", "8760h"], 2, /at most 5m; 8760h given/],
    [["calculator", "multiply", "5", "10", "--classic", "--deadline", "0s"], 2, /at least 1ms/],
    [["calculator", "--classic", "--deadline", "soon"], 2, /"soon" is not a duration/],
    [["helo", "hello", "--classic"], 2, /unknown classic service "helo"; did you mean "hello"\?/],
    [["hello", "hello", "Ana", "--classic"], 2, /has no name in it/],
    [["hello", "hello", "Ana", "--base64"], 2, /--base64 is for --classic/],
    [["random-numbers", "draw", "0", "--classic"], 2, /0 numbers are asked for/],
    [["random-numbers", "draw", "3", "--classic"], 4, /is no server of this format/],
    [
      ["calculator", "multiply", "5", "10"],
      4,
      /does not speak this protocol.*; if it was started with --classic, add --classic here$/m,
    ],
  ];
  for (const [words, status, stderr] of refused) {
    const given = await lightcone(["call", ...words, "--to", address]);
    expect(given, words.join(" ")).toMatchObject({ status, stdout: "" });
    expect(given.stderr).toMatch(stderr);
    expect(given.stderr).toMatch(/^lightcone: .*\n$/);
  }
  for (const words of [
    ["--data", join(folder, "x")],
    ["--seed", "1.5"],
  ]) {
    const given = await lightcone(["serve", "hello", "--classic", "--listen", "tcp://127.0.0.1:0", ...words]);
    expect(given).toMatchObject({ status: 2, stderr: expect.stringMatching(/^lightcone: --.*\n$/) });
  }
});

test("a framed call or prompt at a port of --classic is told so; where nobody listens it is not", async () => {
  for (const words of [["hello", "hello", "Ana"], ["calculator"], ["random-numbers", "draw", "5", "10"]]) {
    const { server, address } = await serve(words[0] ?? "", "--classic");
    const given = await lightcone(["call", ...words, "--to", address]);
    expect(given).toMatchObject({ status: 4, stdout: "" });
    expect(given.stderr).toMatch(/^lightcone: .*; if it was started with --classic, add --classic here\n$/);
    server.signal("SIGKILL");
    await server.ended;
    const nobody = await lightcone(["call", ...words, "--to", address]);
    expect(nobody.stderr).toBe(`lightcone: nobody listens at ${address}\n`);
  }
});

test("without a method, each line is a call, and gives a line back", async () => {
  const { address } = await serve("calculator");
  const given = await typed(
    ["calculator", "--to", address],
    "5 * 10\nadd 5 10\n\n2^10\n-3 - -4\nroot 9 2\ndivide 1 0\n5 * ten\nmultply 1 2\nadd 1\n7/2\nquit\n5 * 5\n",
  );
  expect(given.stdout.split("\n")).toEqual([
    "50",
    "15",
    "1024",
    "1",
    "3",
    "divide: division by zero; give a divisor other than 0",
    '"ten" is not a number; write digits, such as 5, -2.5 or 1e6',
    '"multply" is nothing to call; did you mean multiply?',
    "add takes 2 arguments, a and b; 1 given",
    "3.5",
    "",
  ]);
  expect(given).toMatchObject({ status: 2, stderr: "" });
});

test("a classic prompt shows each acknowledgement before its result", async () => {
  const { address } = await serve("calculator", "--classic");
  const given = await typed(["calculator", "--classic", "--to", address], "5 * 10\n0.1 x 1\n");
  expect(given).toEqual({
    status: 0,
    stdout: "50.0\n0.1\n",
    stderr: "acknowledged: Data received\nacknowledged: Data received\n",
  });
});

test("--log has a line for each connection, call and refusal, and rotates", async () => {
  const log = join(folder, "calls.log");
  const { server, address } = await serve("calculator", "--log", log);
  await typed(["calculator", "--to", address], "5 * 10\n6 * 7\n");
  await lightcone(["call", "hello", "hello", "\x1b[2J", "--to", address]);
  server.signal("SIGTERM");
  expect((await server.ended).stderr).toBe("2 calls run\n");
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  const remote = String.raw`tcp://127\.0\.0\.1:\d+`;
  expect(lines.every((line) => /^\d{4}-\d\d-\d\dT[\d:.]+Z /.test(line))).toBe(true);
  const texts = lines.map((line) => line.slice(25));
  expect(texts.filter((line) => new RegExp(`^${remote}: connected$`).test(line))).toHaveLength(2);
  expect(texts).toContainEqual(expect.stringMatching(`^${remote}: multiply {"a":5,"b":10} -> 50$`));
  expect(texts).toContainEqual(expect.stringMatching(`^${remote}: multiply {"a":6,"b":7} -> 42$`));
  expect(texts.filter((line) => new RegExp(`^${remote}: ended: `).test(line))).toHaveLength(2);
  expect(texts.at(-1)).toBe("ended; 2 calls run");
  expect(statSync(log).mode & 0o077).toBe(0);
  expect(readdirSync(folder).filter((name) => name.startsWith("calls.log"))).toEqual(["calls.log"]);
});

test("a log that cannot be written is refused before anything is served", async () => {
  const given = await lightcone([
    "serve",
    "hello",
    "--listen",
    "tcp://127.0.0.1:0",
    "--log",
    join(folder, "no/such/log"),
  ]);
  expect(given).toMatchObject({
    status: 2,
    stdout: "",
    stderr: expect.stringMatching(/^lightcone: --log: cannot write .*\n$/),
  });
});

test("Ctrl-C ends a call that waits, in order and without a word", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  const to = `tcp://127.0.0.1:${typeof bound === "object" && bound !== null ? bound.port : 0}`;
  for (const words of [
    ["hello", "hello"],
    ["random-numbers", "draw"],
    ["calculator", "multiply", "5", "10"],
  ]) {
    const connected = new Promise((resolve) => server.once("connection", resolve));
    const call = start(["call", ...words, "--classic", "--to", to]);
    running.add(call);
    await connected;
    call.signal("SIGINT");
    expect(await call.ended).toEqual({ status: 130, stdout: "", stderr: "" });
  }
  server.close();
});

test("side-by-side shows both ends of both methods", async () => {
  const shown = await lightcone(["side-by-side"]);
  expect(shown.stdout).toMatch(/^Named pipes +TCP\nclient --x, nmax--> Fifo1 --> server +client --x/);
  expect(shown.stdout).toMatch(/^ *\d+ ms {2}listening at +\d+ ms {2}listening at/m);
  for (const words of [["21"], ["0"], ["5", "0"], ["5", "99999999999"], ["5", "2147483648"]]) {
    const refused = await lightcone(["side-by-side", ...words]);
    expect(refused).toMatchObject({ status: 2, stdout: "" });
    expect(refused.stderr).toMatch(/, 1 to 20, .*, 1 to 2147483647, such as 5 10; .*\n$/);
    expect(refused.stderr).toContain(`${words.join(" ")} given`);
  }
  expect(await lightcone(["side-by-side", "1", "2147483647"])).toMatchObject({ status: 0, stderr: "" });
});

test("side-by-side --json has numbers, pids and times as fields; one seed gives both the same numbers", async () => {
  const { status, stdout } = await lightcone(["side-by-side", "4", "6", "--seed", "3", "--json"]);
  expect(status).toBe(0);
  interface End {
    readonly pid: number;
    readonly lines: readonly { readonly ms: number; readonly text: string }[];
  }
  interface Method {
    readonly address: string;
    readonly status: number;
    readonly numbers: readonly number[];
    readonly client: End;
    readonly server: End;
  }
  const { pipes, tcp } = JSON.parse(stdout) as { readonly pipes: Method; readonly tcp: Method };
  expect(pipes.numbers).toHaveLength(4);
  expect(pipes.numbers).toEqual(tcp.numbers);
  expect(pipes.address).toMatch(/^fifo:/);
  expect(tcp.address).toMatch(/^tcp:/);
  expect(pipes.client.pid).not.toBe(tcp.client.pid);
  expect(pipes.server.pid).toBe(tcp.server.pid);
  for (const method of [pipes, tcp]) {
    expect(method.status).toBe(0);
    const told = method.client.lines.flatMap(({ text }) => /^number \d of 4: (\d)/.exec(text)?.[1] ?? []);
    expect(told.map(Number)).toEqual(method.numbers);
    expect(method.client.lines.map(({ text }) => text)).toContainEqual(
      expect.stringContaining(`process ${method.client.pid} asks for 4 numbers`),
    );
    for (const { lines } of [method.client, method.server]) {
      const times = lines.map(({ ms }) => ms);
      expect(times.every((ms) => Number.isInteger(ms) && ms >= 0)).toBe(true);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
  }
  expect(pipes.client.lines.at(-1)?.text).toMatch(/^signalled process \d+ back$/);
  expect(pipes.server.lines.at(-1)?.text).toMatch(/process \d+ has signalled back$/);
  expect(tcp.server.lines.at(-1)?.text).toMatch(/4 numbers sent$/);
});

test("side-by-side says in a line that it has no place for its pipes", async () => {
  const env = { XDG_RUNTIME_DIR: "", TMPDIR: "/nowhere" };
  expect(await lightcone(["side-by-side"], { env })).toMatchObject({
    status: 4,
    stdout: "",
    stderr: expect.stringMatching(/^lightcone: cannot make a folder .*\n$/),
  });
});

test("what a side-by-side that was killed left behind, the next one clears away", async () => {
  // Short, so that it will do for a run's files.
  const place = mkdtempSync("/tmp/lightcone-");
  const env = { XDG_RUNTIME_DIR: place };
  try {
    const killed = start(["side-by-side"], { env });
    running.add(killed);
    const files = (): string[] => readdirSync(place).flatMap((name) => readdirSync(join(place, name)));
    const notes = expect.arrayContaining(["0.pid", "1.pid"]);
    await expect.poll(files, { timeout: 20_000, interval: 5 }).toEqual(notes);
    killed.signal("SIGKILL");
    // Its clients live on for a while, and go on in the folder.
    await killed.ended;
    expect(readdirSync(place)).toHaveLength(1);
    expect(await lightcone(["side-by-side"], { env })).toMatchObject({ status: 0 });
    expect(readdirSync(place)).toEqual([]);
  } finally {
    rmSync(place, { recursive: true });
  }
});

test("served methods and a prompt are what help names", async () => {
  const { address } = await serve("random-numbers", "--classic");
  const { stdout } = await typed(["random-numbers", "--classic", "--to", address], "help\ndraw 2 1\nquit\n");
  expect(stdout).toBe("random-numbers: draw\nsuch as draw 5 10, draw\nquit ends\n1\n1\n");
});
