import type { AnyProtocol } from "../../../src/core/index.js";
import type { MutexOutput } from "../../../src/protocols/index.js";
import type { Trace } from "../../../src/trace/index.js";
import type { Scenario } from "../mutant.js";
import { allSeedsPass } from "./labs.js";

type Settings = Omit<Parameters<typeof allSeedsPass>[1], "lab">;

const competition: Settings = {
  processes: 3,
  seeds: 300,
  faults: "loss 10%, duplicate 10%, reorder 20%",
  options: { entries: 3 },
};

/** Without repair, so that a token which goes astray stays there. */
const competitionWithoutRepair: Settings = { ...competition, options: { entries: 3, patience: 0 } };

/** Nobody stays long, so that old requests meet new ones. */
const cost: Settings = {
  processes: 4,
  seeds: 200,
  faults: "",
  options: { entries: 5, hold: 0, think: 2_000 },
};

const impatience: Settings = {
  processes: 3,
  seeds: 300,
  faults: "delay 5..50ms, crash P2 at 60ms, restart P2 at 150ms",
  options: { entries: 3, patience: 40_000 },
};

const CLAIMS = {
  competition: "three processes that compete over a lossy network enter one at a time, and all of them",
  cost: "without faults every entry costs what the algorithm promises, with few and with many competitors",
  impatience:
    "tokens that are thought lost too early, and one that is lost, leave no more than one in the end",
} as const;

export const scenarios: readonly Scenario[] = [
  scenario("lamport", "competition", competition),
  scenario("roucairol-carvalho", "competition", competition),
  scenario("suzuki-kasami", "competition", competitionWithoutRepair),
  scenario("suzuki-kasami", "cost", cost),
  scenario("suzuki-kasami", "impatience", impatience),
  scenario("raymond", "competition", { ...competition, processes: 5 }),
  scenario("coordinator", "competition", competition),
  {
    name: "coordinator/coordinator-crash",
    claim: "a coordinator that crashes while somebody is inside goes on where it was",
    run: (root) =>
      allSeedsPass(root, {
        ...competition,
        lab: "coordinator",
        faults: "delay 5..20ms, crash P1 at 60ms, restart P1 at 90ms",
      }),
  },
  {
    name: "coordinator/duplicating-network",
    claim: "a release that comes late, or again, frees nobody else, without a link that would hide it",
    run: (root) =>
      allSeedsPass(root, {
        ...competition,
        lab: "coordinator",
        faults: "duplicate 30%, reorder 30%",
        protocol: ({ coordinator }) => coordinator,
      }),
  },
  scenario("maekawa", "competition", { ...competition, processes: 7, options: { entries: 2 } }),
  {
    name: "maekawa/not-the-holder",
    claim: "who gives way or leaves without having been granted frees no arbiter",
    run: async (root) => {
      const from = <Module>(layer: string): Promise<Module> =>
        import(new URL(`${layer}/index.js`, root).href);
      const { placeOf, step } = await from<typeof import("../../../src/core/index.js")>("core");
      const { maekawa } = await from<Protocols>("protocols");
      const processes = ["P1", "P2", "P3"];
      const surroundings = { place: placeOf(processes, "P1"), incarnation: 0, now: 0, pick: () => 0 };
      const protocol = maekawa(processes);
      let { state } = step(protocol, undefined, { kind: "start" }, surroundings);
      const grants: string[] = [];
      const inputs = [
        ["P2", { kind: "request", of: 1 }],
        ["P3", { kind: "request", of: 1 }],
        ["P3", { kind: "relinquish", of: 1 }],
        ["P3", { kind: "release", of: 1, fence: 0 }],
      ] as const;
      for (const [sender, message] of inputs) {
        const done = step(protocol, state, { kind: "message", from: sender, message }, surroundings);
        state = done.state;
        for (const effect of done.effects)
          if (effect.kind === "send" && effect.message.kind === "grant") grants.push(effect.to);
      }
      if (grants.join() !== "P2") throw new Error(`with P2 inside, P1 has granted ${grants.join(", ")}`);
    },
  },
  scenario("token-ring", "impatience", impatience),
  {
    name: "raymond/fairness",
    claim: "while a process waits, no other enters more than twice",
    run: (root) => nobodyStarves(root, "raymond", ({ raymond }) => raymond("star")),
  },
  {
    name: "suzuki-kasami/duplicating-network",
    claim: "a token that the network doubles is one token, without a link that would hide it",
    run: (root) =>
      allSeedsPass(root, {
        ...competition,
        lab: "suzuki-kasami",
        faults: "duplicate 30%, reorder 30%",
        protocol: ({ suzukiKasami }) => suzukiKasami(),
      }),
  },
  {
    name: "suzuki-kasami/straight-to-who-waits",
    claim: "however late a request arrives, the token goes only where it is waited for",
    run: async (root) => {
      const traces = bareRuns(root, "suzuki-kasami", ({ suzukiKasami }) => suzukiKasami(), {
        faults: "delay 0..20ms, reorder 30%",
        options: { entries: 5, hold: 0, think: 2_000 },
      });
      for await (const { header, events } of traces) {
        const messages = events.filter(({ kind }) => kind === "send").length;
        const n = header.processes.length;
        // n-1 requests and the token for it, so any stray token shows in the remainder.
        if (messages % n !== 0)
          throw new Error(`seed ${header.seed}: ${messages} messages are no multiple of ${n}`);
      }
    },
  },
  {
    name: "suzuki-kasami/fairness",
    claim: "while a process waits, no other enters more than twice",
    run: (root) => nobodyStarves(root, "suzuki-kasami", ({ suzukiKasami }) => suzukiKasami()),
  },
];

type Protocols = typeof import("../../../src/protocols/index.js");

/** 100 runs of four processes that use the algorithm without links below it. */
async function* bareRuns(
  root: string,
  lab: string,
  protocol: (protocols: Protocols) => AnyProtocol,
  { faults, options }: Pick<Settings, "faults" | "options">,
): AsyncGenerator<Trace> {
  const from = <Module>(layer: string): Promise<Module> => import(new URL(`${layer}/index.js`, root).href);
  const labs = await from<typeof import("../../../src/labs/index.js")>("labs");
  const { simulate } = await from<typeof import("../../../src/sim/index.js")>("sim");
  const { parseFaults } = await from<typeof import("../../../src/faults/index.js")>("faults");
  const { processNames } = await from<typeof import("../../../src/core/index.js")>("core");
  const ownProtocol = protocol(await from<Protocols>("protocols"));
  const standard = { ...labs.findLab(lab), protocol: () => ownProtocol };
  const processes = processNames(4);
  for (let seed = 0; seed < 100; seed++) {
    const settings = labs.runSettings(standard, { processes, seed, options: options ?? {} });
    const plan = { faults: parseFaults(faults, processes) };
    yield simulate(labs.simulationOf(standard, settings, plan), { lab, lightcone: "mutant" });
  }
}

/** Everybody asks again at once, and stays inside for longer than a message takes. */
async function nobodyStarves(
  root: string,
  lab: string,
  protocol: (protocols: Protocols) => AnyProtocol,
): Promise<void> {
  const options = { entries: 8, hold: 20_000, think: 0 };
  for await (const { header, events } of bareRuns(root, lab, protocol, { faults: "", options })) {
    const waiting = new Map<string, Map<string, number>>();
    for (const event of events) {
      if (event.kind !== "output") continue;
      // Outputs of a mutual exclusion lab.
      const { kind } = event.value as MutexOutput;
      if (kind === "requested") waiting.set(event.process, new Map());
      if (kind !== "entered") continue;
      waiting.delete(event.process);
      for (const [process, overtakers] of waiting) {
        const times = (overtakers.get(event.process) ?? 0) + 1;
        overtakers.set(event.process, times);
        if (times > 2)
          throw new Error(
            `seed ${header.seed}: ${event.process} entered ${times} times while ${process} waited`,
          );
      }
    }
  }
}

function scenario(lab: string, kind: keyof typeof CLAIMS, settings: Settings): Scenario {
  return {
    name: `${lab}/${kind}`,
    claim: CLAIMS[kind],
    run: (root) => allSeedsPass(root, { ...settings, lab }),
  };
}
