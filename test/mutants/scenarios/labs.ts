import type { AnyProtocol } from "../../../src/core/index.js";
import type { Lab } from "../../../src/labs/index.js";
import type { Scenario } from "../mutant.js";

type Labs = typeof import("../../../src/labs/index.js");
type Protocols = typeof import("../../../src/protocols/index.js");

interface Sweep {
  readonly lab: string;
  readonly processes: number;
  readonly seeds: number;
  readonly faults: string;
  readonly options?: Readonly<Record<string, number | string>>;
  /** A run that does not come to rest is evidence too. */
  readonly ends?: true;
  /** Runs the lab's users and checkers on another protocol than the lab's own. */
  readonly protocol?: (protocols: Protocols) => AnyProtocol;
}

/** Runs seed after seed; rejects with the first violation and the line that replays it. */
export async function allSeedsPass(root: string, sweep: Sweep): Promise<void> {
  const from = <Module>(layer: string): Promise<Module> => import(new URL(`${layer}/index.js`, root).href);
  const labs = await from<Labs>("labs");
  const { parseFaults } = await from<typeof import("../../../src/faults/index.js")>("faults");
  const { formatDuration, processNames, SECOND } =
    await from<typeof import("../../../src/core/index.js")>("core");
  const ownProtocol = sweep.protocol?.(await from<Protocols>("protocols"));
  const standard = labs.findLab(sweep.lab);
  const lab: Lab = ownProtocol === undefined ? standard : { ...standard, protocol: () => ownProtocol };
  const processes = processNames(sweep.processes);
  const settings = labs.runSettings(lab, { processes, seed: 0, options: sweep.options ?? {} });
  const faults = parseFaults(sweep.faults, processes);
  const request = { lab, reference: lab.id, lightcone: "mutant", settings, faults, duration: 60 * SECOND };
  for (const report of labs.sweep({ ...request, seeds: sweep.seeds })) {
    if (sweep.ends === true && report.cutShort > 0) {
      throw new Error(`a run did not come to rest: ${report.reasons.join("; ")} (seed ${report.seeds - 1})`);
    }
    const [failure] = report.failures;
    if (failure === undefined) continue;
    const [violation] = failure.report.violations;
    const options = Object.entries(sweep.options ?? {}).map(([name, value]) => {
      const isDuration = lab.options.some((option) => option.name === name && option.kind === "duration");
      return `--${name} ${isDuration ? formatDuration(Number(value)) : value} `;
    });
    throw new Error(
      `${violation?.checker ?? "run"}: ${violation?.message ?? failure.report.reasons.join("; ")} ` +
        `(lightcone sim ${lab.id} -n ${sweep.processes} --seed ${failure.seed} ${options.join("")}--faults '${sweep.faults}')`,
    );
  }
}

export const scenarios: readonly Scenario[] = [
  {
    name: "ricart-agrawala/competition",
    claim:
      "three processes that compete for the section over a lossy network enter one at a time, and all of them",
    run: (root) =>
      allSeedsPass(root, {
        lab: "ricart-agrawala",
        processes: 3,
        seeds: 300,
        faults: "loss 10%, duplicate 10%, reorder 20%",
        options: { entries: 3 },
      }),
  },
  {
    name: "ricart-agrawala/duplicating-network",
    claim: "replies that the network doubles let nobody in early, without a link that would hide them",
    run: (root) =>
      allSeedsPass(root, {
        lab: "ricart-agrawala",
        processes: 3,
        seeds: 300,
        faults: "duplicate 30%, reorder 30%",
        options: { entries: 3 },
        protocol: ({ ricartAgrawala }) => ricartAgrawala,
      }),
  },
  {
    name: "causal-broadcast/message-board",
    claim: "no answer shows before its question, nothing twice, and in the end everything everywhere",
    run: (root) =>
      allSeedsPass(root, {
        lab: "causal-broadcast",
        processes: 4,
        seeds: 200,
        faults: "delay 0..200ms, loss 10%, duplicate 10%, reorder 20%",
      }),
  },
  {
    name: "causal-broadcast/late-and-private",
    claim:
      "what leaves late is heard by all in causal order, and what is for one shows its text to nobody else",
    run: (root) =>
      allSeedsPass(root, {
        lab: "vector-clocks",
        processes: 3,
        seeds: 200,
        faults: "loss 10%, duplicate 5%",
      }),
  },
  {
    name: "causal-broadcast/overtaking",
    claim: "a message with a short delay overtakes one to the same process with a long one",
    run: overtakes,
  },
];

async function overtakes(root: string): Promise<void> {
  const { delayed } = (await import(new URL("protocols/index.js", root).href)) as Protocols;
  const { placeOf, step } = (await import(
    new URL("core/index.js", root).href
  )) as typeof import("../../../src/core/index.js");
  const inner = {
    name: "sender",
    start: () => 0,
    onMessage: (state: number) => state,
    onCommand: (state: number, text: string, ctx: { send(to: string, message: string): void }) => {
      ctx.send("P2", text);
      return state + 1;
    },
  };
  const at = { place: placeOf(["P1", "P2"], "P1"), incarnation: 0, now: 0, pick: () => 500 };
  const protocol = delayed<number, string, string, never>(inner, 1_000_000);
  let { state } = step(protocol, undefined, { kind: "start" }, at);
  for (const command of ["first", "second"])
    ({ state } = step(protocol, state, { kind: "command", command }, at));
  const { effects } = step(protocol, state, { kind: "timer", timer: "delayed/2" }, at);
  const [left] = effects;
  if (left?.kind !== "send" || left.message !== "second") {
    throw new Error(`the second message was due, and this left: ${JSON.stringify(effects)}`);
  }
}
