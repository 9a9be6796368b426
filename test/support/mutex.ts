import fc from "fast-check";
import { expect } from "vitest";
import {
  deepFreeze,
  firstUnplain,
  MILLISECOND,
  placeOf,
  processNames,
  step,
  type Effect,
  type Input,
  type ProcessId,
  type Protocol,
} from "../../src/core/index.js";
import type { MutexCommand, MutexOutput, MutexStatus, Stamp } from "../../src/protocols/index.js";
import { checkNarrated } from "./narrated.js";
import { PureNetwork, type Packet } from "./pure-network.js";

type MutexProtocol<State, Message> = Protocol<State, Message, MutexCommand, MutexOutput>;

/** One process stepped by hand; each call gives what the step did, explanations, timers and saves apart. */
export class Member<State, Message> {
  state!: State;
  rules: readonly string[] = [];
  saved: unknown;
  readonly #protocol: MutexProtocol<State, Message>;
  readonly #self: ProcessId;
  readonly #processes: readonly ProcessId[];

  constructor(
    protocol: MutexProtocol<State, Message>,
    self: ProcessId,
    processes: readonly ProcessId[] = ["P1", "P2", "P3"],
  ) {
    this.#protocol = protocol;
    this.#self = self;
    this.#processes = processes;
    this.#step({ kind: "start" });
  }

  acquire(): readonly Effect<Message, MutexOutput>[] {
    return this.#step({ kind: "command", command: { kind: "acquire" } });
  }

  release(): readonly Effect<Message, MutexOutput>[] {
    return this.#step({ kind: "command", command: { kind: "release" } });
  }

  receives(from: ProcessId, message: Message): readonly Effect<Message, MutexOutput>[] {
    return this.#step({ kind: "message", from, message });
  }

  fires(timer: string): readonly Effect<Message, MutexOutput>[] {
    return this.#step({ kind: "timer", timer });
  }

  restarts(): readonly Effect<Message, MutexOutput>[] {
    return this.#step({ kind: "restart", saved: this.saved });
  }

  #step(input: Input<Message, MutexCommand>): readonly Effect<Message, MutexOutput>[] {
    const place = deepFreeze(placeOf(this.#processes, this.#self));
    const around = { place, incarnation: 0, now: 0, pick: () => 0 };
    const { state, effects } = step(this.#protocol, this.state, input, around);
    expect(firstUnplain(state) ?? firstUnplain(effects)).toBeUndefined();
    this.state = deepFreeze(state);
    this.rules = effects.flatMap((effect) => (effect.kind === "explain" ? [effect.rule] : []));
    for (const effect of effects) if (effect.kind === "save") this.saved = effect.saved;
    return effects.filter(({ kind }) => kind === "send" || kind === "output");
  }
}

export const sent = <Message>(to: ProcessId, message: Message) => ({ kind: "send" as const, to, message });

export const requested = (stamp: Stamp) => ({
  kind: "output" as const,
  value: { kind: "requested" as const, stamp },
});

export const entered = (stamp: Stamp, fence: unknown = expect.any(Number)) => ({
  kind: "output" as const,
  value: { kind: "entered" as const, stamp, fence },
});

export const exited = (stamp: Stamp) => ({
  kind: "output" as const,
  value: { kind: "exited" as const, stamp },
});

/** Some processes on a network where every message takes 1 ms; tells who did what, and counts messages. */
export class Story<State, Message> {
  readonly net: PureNetwork<State, Message, MutexCommand, MutexOutput>;
  readonly #told = new Set<unknown>();

  constructor(protocol: MutexProtocol<State, Message>, processes: number) {
    const names = processNames(processes);
    this.net = new PureNetwork(protocol, names, { seed: 1, delay: [MILLISECOND, MILLISECOND] });
  }

  /** Gives these processes a command at once, delivers everything, and tells what came of it: `P1 entered`. */
  after(command: MutexCommand["kind"], ...processes: readonly ProcessId[]): string[] {
    for (const process of processes) this.net.command(process, { kind: command });
    expect(this.net.run()).toBe("quiescent");
    return this.net.deeds.flatMap((deed) => {
      if (deed.effect.kind !== "output" || this.#told.has(deed)) return [];
      this.#told.add(deed);
      return [`${deed.process} ${deed.effect.value.kind}`];
    });
  }

  get messages(): number {
    return this.net.deeds.filter(({ effect }) => effect.kind === "send").length;
  }
}

export interface Competition<State> {
  readonly statusOf: (state: State) => MutexStatus;
  /** What a message that comes twice must not change; a protocol that counts on its links says 0. Default 0.5. */
  readonly duplicateMax?: number;
  /** Default 2 to 5. */
  readonly processes?: number;
  readonly narration: Readonly<Record<string, string>>;
  /** Looks at a run without duplicates: all messages sent, how many entries, how many processes. */
  readonly count?: (sent: readonly Packet<unknown>[], entries: number, processes: number) => void;
}

/**
 * Whatever the network reorders and repeats, one at a time is inside, everybody gets in as often as it asks, each with
 * a larger fencing token than the one before, and every rule explained has a sentence.
 */
export function checkCompetition<State, Message>(
  protocol: MutexProtocol<State, Message>,
  { statusOf, narration, count, duplicateMax = 0.5, processes: given }: Competition<State>,
): void {
  const competition = fc.record({
    seed: fc.nat(),
    processes: given === undefined ? fc.integer({ min: 2, max: 5 }) : fc.constant(given),
    duplicate: fc.constantFrom(0, duplicateMax),
    rounds: fc.integer({ min: 1, max: 3 }),
    hold: fc.nat(15 * MILLISECOND),
    askAt: fc.array(fc.nat(20 * MILLISECOND), { minLength: 8, maxLength: 8 }),
  });
  fc.assert(
    fc.property(competition, ({ seed, processes: n, duplicate, rounds, hold, askAt }) => {
      const processes = processNames(n);
      const packets: Packet<Message>[] = [];
      const net = new PureNetwork(protocol, processes, {
        seed,
        duplicate,
        delay: [0, 10 * MILLISECOND],
        drops: (packet) => {
          packets.push(packet);
          return false;
        },
      });
      for (const [i, process] of processes.entries())
        net.command(process, { kind: "acquire" }, askAt[i] ?? 0);
      const left = new Map(processes.map((process) => [process, rounds]));
      let holder: ProcessId | undefined;
      for (let ended = false; !ended;) {
        ended = net.run({ stepsMax: 1 }) === "quiescent";
        const holders = processes.filter((process) => statusOf(net.state(process)) === "inside");
        expect(holders.length).toBeLessThanOrEqual(1);
        const [now] = holders;
        if (now !== undefined && now !== holder) {
          ended = false;
          const rest = (left.get(now) ?? 0) - 1;
          left.set(now, rest);
          net.command(now, { kind: "release" }, net.now + hold);
          if (rest > 0) net.command(now, { kind: "acquire" }, net.now + hold + MILLISECOND);
        }
        holder = now;
      }
      const fences = net.deeds.flatMap(({ effect }) =>
        effect.kind === "output" && effect.value.kind === "entered" ? [effect.value.fence] : [],
      );
      expect(fences).toHaveLength(n * rounds);
      for (const [i, fence] of fences.entries()) expect(fence).toBeGreaterThan(fences[i - 1] ?? -1);
      for (const process of processes) expect(statusOf(net.state(process))).toBe("idle");
      if (duplicate === 0) count?.(packets, fences.length, n);
      checkNarrated(net.deeds, narration);
    }),
    { numRuns: 100 },
  );
}
