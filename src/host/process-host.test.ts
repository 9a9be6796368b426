import { describe, expect, onTestFinished, test } from "vitest";
import { recordedClocks } from "../checkers/index.js";
import { processNames, type AnyProtocol, type Protocol } from "../core/index.js";
import { parseFaults, type FaultPlan } from "../faults/index.js";
import { CausalMerger, CausalTracker, type TraceEvent } from "../trace/index.js";
import { createMemoryTransport, type Connection, type FrameReceiver } from "../transports/index.js";
import { ByteWriter, createPlainCodec, encodeMessage, messageHeader } from "../wire/index.js";
import { encodeHello } from "./hello.js";
import type { Delivery } from "./link.js";
import { Mesh } from "./mesh.js";
import { ProcessHost, type HostListener } from "./process-host.js";
import { MemoryRecorder } from "./recorder.js";
import { RunClock } from "./run-clock.js";
import { MemoryStore } from "./store.js";

interface Counting {
  readonly seen: number;
}

/** Each process greets all others; a greeting is answered until `rounds` have been seen. */
function greeting(rounds: number): Protocol<Counting, { readonly n: number }> {
  return {
    name: "greeting",
    start(ctx) {
      ctx.broadcast({ n: 1 });
      return { seen: 0 };
    },
    onMessage(state, from, { n }, ctx) {
      if (n < rounds) ctx.send(from, { n: n + 1 });
      return { seen: state.seen + 1 };
    },
  };
}

interface Member {
  readonly host: ProcessHost;
  readonly mesh: Mesh;
  readonly recorder: MemoryRecorder;
}

async function cluster(
  count: number,
  protocol: AnyProtocol,
  options: { readonly faults?: string; readonly listener?: Partial<HostListener> } = {},
): Promise<readonly Member[]> {
  const processes = processNames(count);
  const transport = createMemoryTransport();
  const faults: FaultPlan = parseFaults(options.faults ?? "", processes);
  const clock = new RunClock();
  const members: Member[] = [];
  for (const self of processes) {
    const recorder = new MemoryRecorder();
    const listener: HostListener = {
      onFailure: (error) => {
        throw error;
      },
      ...options.listener,
    };
    const host = new ProcessHost({ protocol, self, processes, seed: 7, clock, listener, faults, recorder });
    const mesh = await Mesh.open({
      transport,
      listen: `memory://${self}`,
      self,
      processes,
      incarnation: 0,
      token: "secret",
      user: host,
    });
    members.push({ host, mesh, recorder });
  }
  onTestFinished(async () => {
    for (const { host, mesh } of members) {
      host[Symbol.dispose]();
      await mesh[Symbol.asyncDispose]();
    }
  });
  for (const [i, { mesh }] of members.entries()) {
    for (const process of processes.slice(0, i))
      mesh.reach({ process, incarnation: 0, address: `memory://${process}` });
  }
  await Promise.all(
    members.map(({ mesh }, i) => mesh.connected(processes.filter((process) => process !== processes[i]))),
  );
  for (const { host } of members) host.start();
  return members;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function eventsOf({ recorder }: Member): TraceEvent[] {
  return recorder.lines.map((line) => JSON.parse(line) as TraceEvent);
}

function merged(members: readonly Member[]): TraceEvent[] {
  const merger = new CausalMerger(processNames(members.length));
  const events = members.flatMap((member) => eventsOf(member).flatMap((event) => merger.push(event)));
  expect(merger.flush()).toEqual([]);
  return events;
}

function clockViolations(events: readonly TraceEvent[], count: number): readonly unknown[] {
  const processes = processNames(count);
  const past = new CausalTracker(processes);
  const observer = recordedClocks.begin({
    format: "lightcone-trace",
    version: 1,
    lightcone: "test",
    source: "processes",
    lab: "test",
    processes,
    seed: 7,
    options: {},
    faults: "",
    duration: 1,
  });
  for (const event of events) {
    past.observe(event);
    observer.observe(event, past);
  }
  return observer.finish({ stopped: "quiescent" });
}

function quiet(members: readonly Member[]): boolean {
  const sums = members.map(({ host }) => host.status());
  const sent = sums.flatMap(({ links }) => links.map((link) => link.sent)).reduce((a, b) => a + b, 0);
  const received = sums.flatMap(({ links }) => links.map((link) => link.received)).reduce((a, b) => a + b, 0);
  return sent === received && sums.every(({ held, timers }) => held === 0 && timers === 0);
}

for (const count of [2, 4]) {
  test(`${count} hosts of one program exchange messages, and the clocks they record are the ones the messages imply`, async () => {
    const members = await cluster(count, greeting(20));
    await until(() => quiet(members), "silence");
    const events = merged(members);
    const pairs = count * (count - 1);
    expect(events.filter((event) => event.kind === "send")).toHaveLength(20 * pairs);
    expect(events.filter((event) => event.kind === "receive")).toHaveLength(20 * pairs);
    expect(clockViolations(events, count)).toEqual([]);
  });
}

test("link faults act between protocol and connection, are recorded at the sender, and leave the clocks right", async () => {
  const members = await cluster(3, greeting(15), {
    faults: "delay 0..2ms, loss 5%, duplicate 10%, reorder 20%",
  });
  await until(() => quiet(members), "silence");
  const events = merged(members);
  const of = (kind: TraceEvent["kind"]): number => events.filter((event) => event.kind === kind).length;
  expect(of("drop")).toBeGreaterThan(0);
  expect(of("hold")).toBeGreaterThan(0);
  expect(of("duplicate")).toBeGreaterThan(0);
  expect(of("receive")).toBe(of("send") - of("drop") + of("duplicate"));
  expect(clockViolations(events, 3)).toEqual([]);
});

test("a delayed link keeps its order", async () => {
  const burst: AnyProtocol = {
    name: "burst",
    start(ctx) {
      if (ctx.self === "P1") for (let n = 0; n < 50; n++) ctx.send("P2", { n });
      return { got: [] };
    },
    onMessage: (
      state: { readonly got: readonly number[] },
      _from: string,
      message: { readonly n: number },
    ) => ({
      got: [...state.got, message.n],
    }),
  };
  const members = await cluster(2, burst, { faults: "delay 0..3ms" });
  await until(() => quiet(members), "silence");
  const [, second] = members;
  const receipts = second === undefined ? [] : eventsOf(second).filter((event) => event.kind === "receive");
  expect(receipts).toHaveLength(50);
  expect(receipts.map((event) => event.send)).toEqual(
    receipts.map((event) => event.send).sort((a, b) => a - b),
  );
});

test("a message to oneself arrives in a later step", async () => {
  const selfish: AnyProtocol = {
    name: "selfish",
    start(ctx) {
      ctx.send(ctx.self, "hello");
      return 0;
    },
    onMessage: (state: number) => state + 1,
  };
  const [member] = await cluster(1, selfish);
  await until(() => member !== undefined && eventsOf(member).length === 3, "the receipt");
  expect(member === undefined ? [] : eventsOf(member).map((event) => event.kind)).toEqual([
    "start",
    "send",
    "receive",
  ]);
});

test("a timer fires by the process's own clock, once, and not when it was replaced or cancelled", async () => {
  const fired: string[] = [];
  const alarm: AnyProtocol = {
    name: "alarm",
    start(ctx) {
      ctx.setTimer("replaced", 1_000);
      ctx.setTimer("replaced", 3_000);
      ctx.setTimer("cancelled", 1_000);
      ctx.cancelTimer("cancelled");
      return 0;
    },
    onMessage: (state: unknown) => state,
    onTimer(state: number, timer, ctx) {
      fired.push(timer);
      ctx.output(timer);
      return state + 1;
    },
  };
  const [member] = await cluster(1, alarm);
  await until(() => fired.length === 1 && member?.host.status().timers === 0, "the timer");
  const events = member === undefined ? [] : eventsOf(member);
  const [start, timer] = [
    events.find((event) => event.kind === "start"),
    events.find((event) => event.kind === "timer"),
  ];
  expect(fired).toEqual(["replaced"]);
  expect((timer?.at ?? 0) - (start?.at ?? 0)).toBeGreaterThanOrEqual(3_000);
});

/** A connection that only remembers; the test decides when it flushes. */
class Wire implements Connection {
  readonly remote = "test";
  readonly closed = new Promise<never>(() => {});
  readonly bufferedBytes = 0;
  beforeFlush: (() => void) | undefined;
  readonly frames: Uint8Array[] = [];
  aborted: string | undefined;
  receive(_onFrame: FrameReceiver): void {}
  send(frame: Uint8Array, start = 0, end = frame.length): boolean {
    this.frames.push(frame.slice(start, end));
    return true;
  }
  drained(): Promise<void> {
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  abort(reason?: string): void {
    this.aborted = reason ?? "";
  }
}

function lone(
  protocol: AnyProtocol,
  more: Partial<HostListener> = {},
  log: string[] = [],
): { host: ProcessHost; wire: Wire; receive: FrameReceiver } {
  const recorder = new (class extends MemoryRecorder {
    override flush(): void {
      log.push(`recorded ${this.lines.length}`);
    }
  })();
  const store = new (class extends MemoryStore {
    override commit(): void {
      log.push("kept");
      super.commit();
    }
  })();
  const listener: HostListener = { onFailure: (error) => log.push(`failed: ${error.message}`), ...more };
  const host = new ProcessHost({
    protocol,
    self: "P1",
    processes: ["P1", "P2"],
    seed: 1,
    clock: new RunClock(),
    listener,
    recorder,
    store,
  });
  const wire = new Wire();
  const receive = host.attach("P2", wire, "c");
  onTestFinished(() => host[Symbol.dispose]());
  return { host, wire, receive };
}

test("events are recorded and what was saved is kept before the connection writes", () => {
  const log: string[] = [];
  const saving: AnyProtocol = {
    name: "saving",
    start(ctx) {
      ctx.save({ x: 1 });
      ctx.send("P2", "after");
      return 0;
    },
    onMessage: (state: unknown) => state,
  };
  const { host, wire } = lone(saving, {}, log);
  host.start();
  expect(wire.frames).toHaveLength(1);
  wire.beforeFlush?.();
  expect(log).toEqual(["recorded 3", "kept"]);
});

test("frames of a failed step never leave, and the failure names the input", () => {
  const log: string[] = [];
  const failing: AnyProtocol = {
    name: "failing",
    start: () => 0,
    onCommand(_state, _command, ctx) {
      ctx.send("P2", "never");
      throw new Error("broken\u001b[2J");
    },
    onMessage: (state: unknown) => state,
  };
  const { host, wire } = lone(failing, {}, log);
  host.start();
  host.command("go");
  expect(log).toEqual(["failed: failing failed at a command: broken\\x1b[2J"]);
  expect(wire.frames).toEqual([]);
  expect(wire.aborted).toBe("its process failed");
});

test("a peer whose frame is no message is cut off and reported; the process goes on", () => {
  const troubles: string[] = [];
  const { host, wire, receive } = lone(greeting(1), { onTrouble: (error) => troubles.push(error.code) });
  host.start();
  receive(new Uint8Array([9, 9, 9, 9]), 0, 4);
  expect(troubles).toEqual(["protocol-error"]);
  expect(wire.aborted).toBeDefined();
  expect(host.number).toBe(2);
});

test("a clock that knows more of this process than it has done is refused", () => {
  const troubles: string[] = [];
  const { host, receive } = lone(greeting(1), { onTrouble: (error) => troubles.push(error.code) });
  host.start();
  // message, full clock, number 1, two entries 99 and 1, payload {} as an empty map
  receive(new Uint8Array([2, 1, 1, 2, 99, 1, 0x80]), 0, 7);
  expect(troubles).toEqual(["clock-rejected"]);
});

test("messages that come before the start wait for it", () => {
  const { host, receive } = lone(greeting(1));
  receive(new Uint8Array([2, 1, 1, 2, 0, 1, 0x81, 0xa1, 0x6e, 0x01]), 0, 10);
  expect(host.number).toBe(0);
  host.start();
  // start, send, receive
  expect(host.number).toBe(3);
});

test("what waits for a peer that crashed is dropped and recorded, and so is what is sent to it then", () => {
  const chatty: AnyProtocol = {
    name: "chatty",
    start: () => 0,
    onCommand(state, command, ctx) {
      ctx.send("P2", command);
      return state;
    },
    onMessage: (state: unknown) => state,
  };
  const { host, wire } = lone(chatty);
  host.start();
  host.detach("P2", wire);
  host.command("waits");
  expect(host.status().held).toBe(1);
  host.peerDown("P2");
  expect(host.status().held).toBe(0);
  host.command("lost");
  // start, (command, send) and drop, (command, send, drop)
  expect(host.number).toBe(7);
});

describe("clocks over links that keep their promises, and over others", () => {
  const talker: AnyProtocol = {
    name: "talker",
    start: () => 0,
    onCommand(state, _command, ctx) {
      ctx.send("P2", "news");
      return state;
    },
    onMessage: (state: unknown) => state,
  };
  // The second byte of a frame says how its clock travels.
  const [WHOLE, CHANGES] = [1, 2];

  function joined(self: "P1" | "P2", delivery: Delivery) {
    const troubles: string[] = [];
    const recorder = new MemoryRecorder();
    const listener: HostListener = {
      onFailure: (error) => troubles.push(error.message),
      onTrouble: (error) => troubles.push(error.code),
    };
    const clock = new RunClock();
    const host = new ProcessHost({
      protocol: talker,
      self,
      processes: ["P1", "P2"],
      seed: 1,
      clock,
      listener,
      recorder,
    });
    onTestFinished(() => host[Symbol.dispose]());
    const wire = new Wire();
    const receive = host.attach(self === "P1" ? "P2" : "P1", wire, "c", delivery);
    host.start();
    return { host, wire, receive, troubles, recorder };
  }

  test.each([
    [{ ordered: true, reliable: true }, CHANGES],
    [{ ordered: false, reliable: true }, WHOLE],
    [{ ordered: true, reliable: false }, WHOLE],
    [{ ordered: false, reliable: false }, WHOLE],
  ])("with %o every message is stamped in form %i", (delivery, form) => {
    const { host, wire } = joined("P1", delivery);
    for (let i = 0; i < 3; i++) host.command("go");
    expect(wire.frames.map((frame) => frame[1])).toEqual([form, form, form]);
  });

  test("messages that are lost, doubled and overtaken keep their clocks", () => {
    const datagrams: Delivery = { ordered: false, reliable: false };
    const sender = joined("P1", datagrams);
    for (let i = 0; i < 4; i++) sender.host.command("go");
    const receiver = joined("P2", datagrams);
    const [first, , third, fourth] = sender.wire.frames;
    for (const frame of [fourth, first, third])
      if (frame !== undefined) receiver.receive(frame, 0, frame.length);
    expect(receiver.troubles).toEqual([]);
    expect(receiver.host.status().links.map((link) => link.received)).toContain(3);
    expect(receiver.recorder.lines.filter((line) => line.includes('"receive"'))).toHaveLength(3);
  });

  test("a difference of clocks where any may be lost is refused", () => {
    const sender = joined("P1", { ordered: true, reliable: true });
    sender.host.command("go");
    const receiver = joined("P2", { ordered: true, reliable: false });
    const [frame] = sender.wire.frames;
    if (frame !== undefined) receiver.receive(frame, 0, frame.length);
    expect(receiver.troubles).toEqual(["peer-violation"]);
  });

  test("a late copy of what introduced the peer is passed over where datagrams may come twice", () => {
    const hello = { from: "P1", to: "P2", incarnation: 0, instance: "i", connection: "c", token: "t" };
    const late = encodeHello(hello);
    const datagrams = joined("P2", { ordered: false, reliable: false });
    datagrams.receive(late, 0, late.length);
    expect(datagrams.troubles).toEqual([]);
    const stream = joined("P2", { ordered: true, reliable: true });
    stream.receive(late, 0, late.length);
    expect(stream.troubles).toEqual(["peer-violation"]);
  });
});

test("what arrives before the start stays as it was, though its bytes are used again", () => {
  const seen: unknown[] = [];
  const listening: AnyProtocol = {
    name: "listening",
    start: () => 0,
    onMessage(state, _from, message) {
      seen.push(message);
      return state;
    },
  };
  const { host, receive } = lone(listening);
  const writer = new ByteWriter();
  encodeMessage(writer, { ...messageHeader(), number: 1, clockForm: "full", clock: [0, 1] });
  createPlainCodec().encode(writer, "early");
  const bytes = Buffer.from(writer.copy());
  receive(bytes, 0, bytes.length);
  bytes.fill(0);
  host.start();
  expect(seen).toEqual(["early"]);
});
