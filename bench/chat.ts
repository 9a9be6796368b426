import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectChat, type ChatEvent } from "../dist/host/index.js";
import { ChatHistory } from "../dist/host/chat-history.js";
import { tcp, uds } from "../dist/transports/index.js";
import type { Benchmark, Figure } from "./benchmark.js";

const END = fileURLToPath(new URL("chat/end.js", import.meta.url));
const MEMBERS = 1_000;
const RATE = 100;
const SECONDS = 15;
const HISTORY = 1_000_000;
const KILLS = 20;
const FAN_OUT_MESSAGES = 12_000;
const MS_MAX = 60_000;

/** The server in one process, members in others, over Unix sockets. */
const benchmark: Benchmark = {
  name: "chat",
  claim:
    "a thousand members share one order at a hundred messages a second in flat memory; a million messages are no wait; kill -9 takes nothing back",

  async run(): Promise<readonly Figure[]> {
    const folder = await mkdtemp(join(tmpdir(), "lc-bench-"));
    try {
      return [
        ...(await room(folder)),
        ...(await joiner(folder)),
        ...(await kills(folder)),
        ...(await fanOut(folder)),
      ];
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

export default benchmark;

async function room(folder: string): Promise<Figure[]> {
  const at = `uds://${join(folder, "room")}`;
  return withChildren(async (start) => {
    const server = start(["server", at, join(folder, "room-data")]);
    await report(server, "address");
    const members = start(["members", at, String(MEMBERS)]);
    await report(members, "joined");
    const total = RATE * SECONDS;
    // Once round, so that what is made once is there.
    const warm = start(["speaker", at, String(RATE * 5), String(RATE)]);
    await report(warm, "posted");
    const before = await ask(server, "memory");
    const speaker = start(["speaker", at, String(total), String(RATE)]);
    const posted = (await report(speaker, "posted")) + RATE * 5;
    let least = 0;
    for (let i = 0; i < 100 && least < posted; i++) {
      least = await ask(members, "least");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const grown = ((await ask(server, "memory")) - before) / 2 ** 20;
    const different = await ask(members, "different");
    const gaps = await ask(members, "gaps");
    const megabytes = (total * 80) / 2 ** 20;
    return [
      exact(
        `${MEMBERS} members, ${RATE} messages/s: messages that some member lacks, of ${posted}`,
        posted - least,
        0,
      ),
      exact("orders that members saw", different, 1),
      exact("gaps and repeats", gaps, 0),
      {
        name: `memory of the server after ${total} messages more (${megabytes.toFixed(1)} MB), grown by`,
        value: grown,
        unit: "MB",
        target: "≤ 20 MB",
        met: grown <= 20,
      },
    ];
  });
}

async function joiner(folder: string): Promise<Figure[]> {
  const at = `uds://${join(folder, "joiner")}`;
  const data = join(folder, "joiner-data");
  await mkdir(data);
  const history = await ChatHistory.create("lobby", "bench", join(data, "lobby.room"));
  for (let i = 0; i < HISTORY; i += 400) {
    await history.append(
      Array.from({ length: 400 }, (_, k) => ({
        author: `author${(i + k) % 50}`,
        seq: Math.floor((i + k) / 50) + 1,
        name: `Author ${(i + k) % 50}`,
        text: `message ${i + k} ${"x".repeat(30)}`,
        at: 1_700_000_000_000 + i + k,
      })),
    );
  }
  await history.close();
  return withChildren(async (start) => {
    const server = start(["server", at, data]);
    const loading = await report(server, "ms");
    const before = await ask(server, "memory");
    const firsts: number[] = [];
    let all = 0;
    for (let round = 0; round < 5; round++) {
      const begun = performance.now();
      let first = 0;
      let done: () => void = () => {};
      const whole = new Promise<void>((resolve) => (done = resolve));
      const onEvent = (event: ChatEvent): void => {
        if (event.kind !== "message") return;
        if (event.index === 1) first = performance.now() - begun;
        // Once, all of them.
        if (event.index === (round === 0 ? HISTORY : 1)) done();
      };
      const client = await connectChat(at, { name: `joiner ${round}`, transports: { tcp, uds }, onEvent });
      await whole;
      if (round === 0) all = performance.now() - begun;
      firsts.push(first);
      await client.close();
    }
    const grown = ((await ask(server, "memory")) - before) / 2 ** 20;
    const first = Math.max(...firsts);
    return [
      {
        name: `a joiner's first message, after a history of ${HISTORY.toLocaleString("en")}, slowest of 5`,
        value: first,
        unit: "ms",
        target: "≤ 200 ms",
        met: first <= 200,
      },
      { name: "the whole of it, at the joiner", value: (HISTORY / all) * 1000, unit: "messages/s" },
      {
        name: "memory of the server, grown by",
        value: grown,
        unit: "MB",
        target: "≤ 20 MB",
        met: grown <= 20,
      },
      { name: "the server's start, every message checked", value: loading, unit: "ms" },
    ];
  });
}

async function kills(folder: string): Promise<Figure[]> {
  const at = `uds://${join(folder, "kills")}`;
  const data = join(folder, "kills-data");
  return withChildren(async (start) => {
    let server = start(["server", at, data]);
    await report(server, "address");
    const acknowledged = new Set<string>();
    const places = new Map<string, number>();
    let posted = 0;
    let outOfPlace = 0;
    let unanswered = 0;
    let last = 0;
    const reader = await connectChat(at, {
      name: "reader",
      transports: { tcp, uds },
      onEvent(event) {
        if (event.kind !== "message") return;
        if (event.index !== ++last || places.has(event.entry.text)) outOfPlace++;
        places.set(event.entry.text, event.index);
      },
    });
    const said = new Map<number, string>();
    const writer = await connectChat(at, {
      name: "writer",
      transports: { tcp, uds },
      deadline: "60s",
      onEvent(event) {
        if (event.kind === "posting") said.set(event.seq, event.text);
        if (event.kind === "posted") acknowledged.add(said.get(event.seq) ?? "");
        if (event.kind === "failed" || event.kind === "unknown") unanswered++;
      },
    });
    for (let kill = 0; kill < KILLS; kill++) {
      const until = performance.now() + 50 + Math.random() * 150;
      while (performance.now() < until) {
        while (writer.pending < 100) writer.post(`m${++posted}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await end(server);
      server = start(["server", at, data]);
      await report(server, "address");
    }
    while (writer.pending > 0 || last < acknowledged.size)
      await new Promise((resolve) => setTimeout(resolve, 10));
    await Promise.all([reader.close(), writer.close()]);
    const lost = [...acknowledged].filter((text) => !places.has(text)).length;
    return [
      exact(
        `kill -9 of the server, ${KILLS} times: acknowledged messages lost, of ${acknowledged.size}`,
        lost,
        0,
      ),
      exact("messages repeated, or out of their place", outOfPlace, 0),
      exact("messages whose author never learned", posted - acknowledged.size, 0),
      exact("messages refused", unanswered, 0),
    ];
  });
}

async function fanOut(folder: string): Promise<Figure[]> {
  const at = `uds://${join(folder, "fan")}`;
  const rates: number[] = [];
  for (let round = 0; round < 3; round++) {
    rates.push(
      await withChildren(async (start) => {
        const server = start(["server", at]);
        await report(server, "address");
        const receivers = start(["receivers", at, String(MEMBERS)]);
        await report(receivers, "joined");
        const speaker = start(["speaker", at, String(FAN_OUT_MESSAGES), "0"]);
        await report(speaker, "posted");
        let delivered = 0;
        for (let i = 0; i < 600 && delivered < FAN_OUT_MESSAGES * MEMBERS; i++) {
          delivered = await ask(receivers, "delivered");
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        return (delivered / (await ask(receivers, "ms"))) * 1000;
      }),
    );
  }
  const rate = rates.toSorted((a, b) => a - b)[1] ?? NaN;
  return [
    {
      name: `one speaker, ${MEMBERS} receivers over Unix sockets: deliveries`,
      value: rate,
      unit: "deliveries/s",
      target: "≥ 2,000,000 deliveries/s",
      met: rate >= 2_000_000,
    },
  ];
}

function exact(name: string, value: number, target: number): Figure {
  return { name, value, unit: "", target: String(target), met: value === target };
}

/** Ends every child, however it goes. */
async function withChildren<T>(
  run: (start: (args: readonly string[]) => ChildProcess) => Promise<T>,
): Promise<T> {
  const children: ChildProcess[] = [];
  try {
    return await run((args) => {
      const child = fork(END, args, { execArgv: ["--expose-gc"] });
      children.push(child);
      return child;
    });
  } finally {
    await Promise.all(children.map(end));
  }
}

function ask(child: ChildProcess, field: string): Promise<number> {
  const answer = report(child, field);
  child.send("tell");
  return answer;
}

/** One field of the first message that has it. */
function report(child: ChildProcess, field: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const timeout = setTimeout(() => reject(new Error(`no ${field} within ${MS_MAX} ms`)), MS_MAX);
    const done = (): void => {
      clearTimeout(timeout);
      child.off("message", onMessage);
      child.off("exit", onExit);
    };
    const onMessage = (message: unknown): void => {
      if (typeof message !== "object" || message === null || !(field in message)) return;
      done();
      resolve(Number(Reflect.get(message, field)));
    };
    const onExit = (): void => {
      done();
      reject(new Error(`a process ended before it told its ${field}`));
    };
    child.on("message", onMessage);
    child.on("exit", onExit);
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
