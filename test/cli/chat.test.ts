import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { mainFile } from "../support/lightcone.js";

const folder = mkdtempSync(join(tmpdir(), "lightcone-chat-"));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program with its output as it comes. */
class Program {
  out = "";
  err = "";
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly #watchers = new Set<() => void>();

  constructor(command: string, args: readonly string[]) {
    this.child = spawn(command, args, { stdio: "pipe", env: { ...process.env, NO_COLOR: "1" } });
    children.push(this.child);
    const heard = (which: "out" | "err") => (text: string) => {
      this[which] += text;
      for (const look of this.#watchers) look();
    };
    this.child.stdout?.setEncoding("utf8").on("data", heard("out"));
    this.child.stderr?.setEncoding("utf8").on("data", heard("err"));
    this.ended = once(this.child, "close").then(([status]) => status as number | null);
  }

  say(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  shows(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(this.out) ?? pattern.exec(this.err);
        if (found === null) return;
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      look();
      void this.ended.then(() =>
        reject(new Error(`ended without ${String(pattern)}:\n${this.out}${this.err}`)),
      );
    });
  }

  async end(): Promise<number | null> {
    this.child.stdin?.end();
    return this.ended;
  }
}

const lightcone = (...args: string[]): Program => new Program(process.execPath, [mainFile, ...args]);

async function serve(...args: string[]): Promise<{ server: Program; address: string }> {
  const server = lightcone("serve", "chat", ...args);
  const [, address = ""] = await server.shows(/chat at (\S+), /);
  return { server, address };
}

const join_ = (address: string, name: string, ...more: string[]): Program =>
  lightcone("chat", "--to", address, "--name", name, ...more);

test("lines of a pipe are messages, and everybody's come out", async () => {
  const { server, address } = await serve("--listen", "tcp://127.0.0.1:0");
  const bea = join_(address, "Bea");
  await bea.shows(/in room lobby/);
  const ana = join_(address, "Ana");
  ana.say("hello");
  ana.say("\u001b[2Jclear the screen?");
  ana.say("//not a command");
  expect(await ana.end()).toBe(0);
  await bea.shows(/not a command/);
  expect(bea.out).toBe("Ana: hello\nAna: \\x1b[2Jclear the screen?\nAna: /not a command\n");
  await server.shows(/delivered \S+ to Bea \[tcp:/);
  expect(server.err).toContain("connection from tcp://127.0.0.1:");
  expect(server.err).not.toContain("\u001b");
});

test("what was acknowledged survives kill -9, and nobody sees it twice", async () => {
  const socket = `uds://${join(folder, "killed.sock")}`;
  const data = join(folder, "killed");
  let { server } = await serve("--listen", socket, "--data", data);
  const bea = join_(socket, "Bea");
  await bea.shows(/in room lobby/);
  for (let round = 1; round <= 3; round++) {
    const ana = join_(socket, `Ana${round}`);
    ana.say(`round ${round}`);
    expect(await ana.end()).toBe(0);
    server.child.kill("SIGKILL");
    await server.ended;
    ({ server } = await serve("--listen", socket, "--data", data));
  }
  await bea.shows(/round 3/);
  expect(bea.out).toBe("Ana1: round 1\nAna2: round 2\nAna3: round 3\n");
});

test("the three errors are switched at the start and while running, and reported on both sides", async () => {
  const { server, address } = await serve("--listen", "tcp://127.0.0.1:0", "--error", "send");
  await server.shows(/send error on, for everybody/);
  const ana = join_(address, "Ana");
  await ana.shows(/in room lobby/);
  ana.say("lost");
  await ana.shows(/✗ not sent: "lost" \(send error \(simulated by the server\)\)/);
  await server.shows(/refuses message 1 of Ana: send error/);
  server.say("/error send off");
  await server.shows(/send error off/);

  const bea = join_(address, "Bea", "--error", "reception");
  await bea.shows(/in room lobby/);
  await server.shows(/switches the reception error of Bea to true/);
  ana.say("kept");
  await ana.shows(/Ana: kept/);
  await server.shows(/loses 1 on the way to Bea/);
  await bea.shows(/message 1 has not come: lost on the way/);
  bea.say("/error reception off");
  await bea.shows(/Ana: kept/);

  server.say("/error connection on");
  await ana.shows(/turned away: connection error \(simulated by the server\); trying again/);
  ana.say("into the void");
  await ana.shows(/✗ not sent: "into the void" \(connection error/);
  server.say("/error connection off");
  await ana.shows(/back in room lobby/);

  ana.say("/error connection on");
  await server.shows(/Ana leaves, connection error \(simulated by the client\)/);
  ana.say("/error connection off");
  ana.say("/nonsense");
  await ana.shows(/there is no command \/nonsense/);
});

test("a full disk: the author is told, nothing is acknowledged, the server stays and goes on", async () => {
  const socket = `uds://${join(folder, "full.sock")}`;
  // 4 blocks of 512 bytes a file.
  const script = `ulimit -f 4; exec "$@"`;
  const data = join(folder, "full");
  const args = [
    "-c",
    script,
    "sh",
    process.execPath,
    mainFile,
    "serve",
    "chat",
    "--listen",
    socket,
    "--data",
    data,
  ];
  const server = new Program("sh", args);
  await server.shows(/chat at /);
  const ana = join_(socket, "Ana");
  ana.say("small");
  await ana.shows(/Ana: small/);
  ana.say("x".repeat(3_000));
  await ana.shows(/✗ not sent: "x+…" \(the history cannot be written: EFBIG/);
  await server.shows(/1 messages of room lobby were refused/);
  ana.say("small again");
  await ana.shows(/Ana: small again/);
  expect(await ana.end()).toBe(2);
  server.child.kill("SIGKILL");
  await server.ended;
  const { address } = await serve("--listen", socket, "--data", data);
  const bea = join_(address, "Bea");
  expect(await bea.end()).toBe(0);
  expect(bea.out).toBe("Ana: small\nAna: small again\n");
});

test("what cannot be is refused in a line", async () => {
  const { address } = await serve("--listen", "tcp://127.0.0.1:0");
  const ana = join_(address, "Ana");
  await ana.shows(/in room/);
  const refused: [string[], number, RegExp][] = [
    [["--to", address, "--name", ""], 2, /^lightcone: the name is empty; .*\n$/],
    [["--to", address, "--name", "x".repeat(10_000)], 2, /^lightcone: the name has 10000 characters; .*\n$/],
    [["--to", address, "--name", "\u001b[2J"], 2, /characters that do not show\n$/],
    [["--to", address, "--name", "Ana"], 4, /turned away: somebody called Ana is in room lobby already/],
    [["--to", address, "--name", "Bea", "--error", "sned"], 2, /did you mean "send"\?/],
    [["--to", address, "--name", "Bea", "--deadline", "soon"], 2, /not a duration/],
    [["--to", `uds://${join(folder, "nobody.sock")}`, "--name", "Bea"], 4, /nobody listens/],
  ];
  for (const [args, status, stderr] of refused) {
    const given = lightcone("chat", ...args);
    expect([await given.ended, given.out]).toEqual([status, ""]);
    expect(given.err).toMatch(stderr);
  }
});

test("--json gives an object a line", async () => {
  const { address } = await serve("--listen", "tcp://127.0.0.1:0");
  const ana = join_(address, "Ana", "--json");
  ana.say("hello");
  expect(await ana.end()).toBe(0);
  const events = ana.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { kind: string });
  expect(events.map(({ kind }) => kind).toSorted()).toEqual(["joined", "message", "posted", "posting"]);
  expect(events.find(({ kind }) => kind === "message")).toMatchObject({
    index: 1,
    own: true,
    entry: { text: "hello" },
  });
});

test("--classic serves the published format beside frames, and talks it", async () => {
  const anywhere = "tcp://127.0.0.1:0";
  const server = lightcone("serve", "chat", "--classic", "--listen", anywhere, "--frames", anywhere);
  const [, classic = ""] = await server.shows(/classic chat at (\S+), /);
  const [, framed = ""] = await server.shows(/^chat at (\S+), /m);
  const bea = join_(framed, "Bea");
  await bea.shows(/in room lobby/);
  const ana = join_(classic, "Ana", "--classic");
  ana.say("without frames");
  await ana.shows(/Ana: without frames/);
  await bea.shows(/Ana: without frames/);
  bea.say("with frames");
  await ana.shows(/Bea: with frames/);
  expect([await ana.end(), await bea.end()]).toEqual([0, 0]);
  server.say("/quit");
  expect(await server.ended).toBe(0);
});
