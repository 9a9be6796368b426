import type { AnyProtocol, AnyUser, Protocol } from "../../../src/core/index.js";
import type * as Faults from "../../../src/faults/index.js";
import type * as Protocols from "../../../src/protocols/index.js";
import type * as Sim from "../../../src/sim/index.js";
import type { TraceEvent } from "../../../src/trace/index.js";
import type { Scenario } from "../mutant.js";

/**
 * A run of a few seeds; P1 sends P2 so many letters, 10 ms apart, called L1, L2, …, and should it restart, as many
 * called M1, M2, …
 */
interface Post {
  readonly links: (protocols: typeof Protocols) => AnyProtocol;
  readonly letters: number;
  readonly faults: string;
  readonly seeds: number;
  /** Throws when the run refutes the claim. */
  check(letters: readonly string[], events: readonly TraceEvent[]): void;
}

/** Puts out what it gets and sends what it is told. */
const postbox: Protocol<null, string, string, string> = {
  name: "postbox",
  start: () => null,
  onMessage(state, _from, letter, ctx) {
    ctx.output(letter);
    return state;
  },
  onCommand(state, letter, ctx) {
    ctx.send("P2", letter);
    return state;
  },
};

async function deliver(root: string, post: Post): Promise<void> {
  const from = <Module>(layer: string): Promise<Module> => import(new URL(`${layer}/index.js`, root).href);
  const protocols = await from<typeof Protocols>("protocols");
  const { simulate } = await from<typeof Sim>("sim");
  const { parseFaults } = await from<typeof Faults>("faults");
  const processes = ["P1", "P2"];
  const sends = (prefix: string, self: string) => ({
    state: null,
    commands:
      self === "P1" ? lettersOf(post, prefix).map((command, i) => ({ after: i * 10_000, command })) : [],
  });
  const user: AnyUser = {
    start: ({ self }) => sends("L", self),
    onRestart: (_, { self }) => sends("M", self),
  };
  for (let seed = 1; seed <= post.seeds; seed++) {
    const { events, end } = simulate(
      {
        processes,
        seed,
        options: {},
        protocol: post.links(protocols),
        user,
        faults: parseFaults(post.faults, processes),
        duration: 600_000_000,
      },
      { lab: "links", lightcone: "mutant" },
    );
    try {
      post.check(lettersOf(post, "L"), events);
      if (end.stopped !== "quiescent") throw new Error(`the run did not come to rest: ${end.stopped}`);
    } catch (error) {
      throw new Error(
        `seed ${seed}, "${post.faults}": ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}

function lettersOf({ letters }: Post, prefix: string): readonly string[] {
  return Array.from({ length: letters }, (_, i) => `${prefix}${i + 1}`);
}

/** What P2's protocol got, in order, by incarnation. */
function received(events: readonly TraceEvent[]): readonly string[][] {
  const incarnations: string[][] = [[]];
  for (const event of events) {
    if (event.process !== "P2") continue;
    if (event.kind === "restart") incarnations.push([]);
    if (event.kind === "output") incarnations.at(-1)?.push(String(event.value));
  }
  return incarnations;
}

function expectSame(got: readonly string[], expected: readonly string[]): void {
  if (got.join() !== expected.join()) throw new Error(`P2 got ${got.join()} and not ${expected.join()}`);
}

/** Every letter at least once, and no incarnation of the receiver twice. */
function expectEachOnce(letters: readonly string[], events: readonly TraceEvent[]): void {
  const incarnations = received(events);
  for (const got of incarnations) {
    const repeated = got.find((letter, i) => got.indexOf(letter) !== i);
    if (repeated !== undefined) throw new Error(`P2 got ${repeated} twice: ${got.join()}`);
  }
  const missing = letters.filter((letter) => !incarnations.flat().includes(letter));
  if (missing.length > 0) throw new Error(`P2 never got ${missing.join()}`);
}

const number = (letter: string) => Number(letter.slice(1));

export const scenarios: readonly Scenario[] = [
  {
    name: "links/fifo-order",
    claim: "over a network that reorders and duplicates, fifo hands over 1, 2, 3, … with no gap or repeat",
    run: (root) =>
      deliver(root, {
        links: ({ fifo }) => fifo(postbox),
        letters: 12,
        faults: "delay 1..50ms, reorder 50%, duplicate 30%",
        seeds: 10,
        check: (letters, events) => expectSame(received(events).flat(), letters),
      }),
  },
  {
    name: "links/tail-loss",
    claim: "the only message of a stream arrives although it is lost at first",
    run: (root) =>
      deliver(root, {
        links: ({ reliable }) => reliable(postbox),
        letters: 1,
        faults: "loss 50%",
        seeds: 10,
        check: expectEachOnce,
      }),
  },
  {
    name: "links/exactly-once",
    claim: "over a network that loses, duplicates and reorders, every message is handed over exactly once",
    run: (root) =>
      deliver(root, {
        links: ({ reliable }) => reliable(postbox),
        letters: 20,
        faults: "delay 1..30ms, loss 40%, duplicate 20%, reorder 30%",
        seeds: 10,
        check: expectEachOnce,
      }),
  },
  {
    name: "links/receiver-restart",
    claim: "a restarted receiver gets what its dead incarnation did not acknowledge, each message once",
    run: (root) =>
      deliver(root, {
        links: ({ reliable }) => reliable(postbox),
        letters: 20,
        faults: "loss 20%, crash P2 at 75ms, restart P2 at 105ms",
        seeds: 10,
        check: expectEachOnce,
      }),
  },
  {
    name: "links/sender-restart",
    claim: "what a dead incarnation of the sender left in the network is not taken for its successor's",
    run: (root) =>
      deliver(root, {
        links: ({ reliable }) => reliable(postbox),
        letters: 20,
        faults: "delay 20..60ms, reorder 50%, duplicate 50%, crash P1 at 100ms, restart P1 at 101ms",
        seeds: 10,
        check(letters, events) {
          const got = received(events).flat();
          const ofNew = letters.map((letter) => letter.replace("L", "M"));
          expectEachOnce(ofNew, events);
          if (!got.some((letter) => letter.startsWith("L")))
            throw new Error("no letter of the dead incarnation");
        },
      }),
  },
  {
    name: "links/ordered-receiver-restart",
    claim:
      "with reliable(fifo(p)), each incarnation of a receiver gets an unbroken run of the messages, none is lost",
    run: (root) =>
      deliver(root, {
        links: ({ fifo, reliable }) => reliable(fifo(postbox)),
        letters: 20,
        faults: "delay 1..30ms, loss 30%, reorder 30%, crash P2 at 75ms, restart P2 at 105ms",
        seeds: 10,
        check(letters, events) {
          expectEachOnce(letters, events);
          for (const got of received(events)) {
            const first = got[0] === undefined ? 0 : number(got[0]) - 1;
            expectSame(got, letters.slice(first, first + got.length));
          }
        },
      }),
  },
];
