/**
 * The smallest lab worth reading: one process serves, the others answer, and a checker counts.
 *
 *   lightcone run ./examples/ping-pong.ts
 *   lightcone sim ./examples/ping-pong.ts --seeds 1000 --faults 'loss 20%'
 */
import type { Protocol } from "lightcone/core";
import type { Checker } from "lightcone/checkers";
import type { Lab } from "lightcone/labs";
import { reliable, reliableNarration } from "lightcone/protocols";

interface Rally {
  readonly hits: number;
}

type Ball = { readonly kind: "ping"; readonly hit: number } | { readonly kind: "pong"; readonly hit: number };

interface Finished {
  readonly kind: "finished";
  readonly hits: number;
}

/** P1 serves to each of the others; whoever gets a ping answers with a pong, until `hits` have come back. */
const pingPong = (hitsMax: number): Protocol<Rally, Ball, never, Finished> => ({
  name: "ping-pong",

  start(ctx) {
    if (ctx.self === ctx.processes[0]) ctx.broadcast({ kind: "ping", hit: 1 });
    return { hits: 0 };
  },

  onMessage(state, from, ball, ctx) {
    if (ball.kind === "ping") {
      ctx.send(from, { kind: "pong", hit: ball.hit });
      return { hits: state.hits + 1 };
    }
    ctx.explain("ping-pong.returned", { peer: from, hit: ball.hit });
    if (ball.hit < hitsMax) ctx.send(from, { kind: "ping", hit: ball.hit + 1 });
    else ctx.output({ kind: "finished", hits: ball.hit });
    return { hits: state.hits + 1 };
  },
});

/** Every rally ends: as many `finished` as there are partners, once nothing is left to happen. */
const everyRallyEnds: Checker = {
  name: "every-rally-ends",
  claim: "when nothing is left to happen, every partner has returned the last ball",
  kinds: ["output"],
  begin(run) {
    let finished = 0;
    return {
      observe() {
        finished++;
      },
      finish(end) {
        const partners = run.processes.length - 1;
        if (end.stopped !== "quiescent" || finished === partners) return [];
        const message = `${finished} of ${partners} rallies ended, and nothing is left to happen`;
        return [{ checker: "every-rally-ends", message, evidence: [] }];
      },
    };
  },
};

const lab: Lab = {
  id: "ping-pong",
  title: "A ball back and forth",
  summary:
    "P1 serves a ball to every other process; each returns it until the rally is over, whatever gets lost.",
  processes: { min: 2, usual: 2, max: 10 },
  options: [{ name: "hits", summary: "length of a rally", kind: "integer", usual: 5, min: 1, max: 10_000 }],
  protocol: (run) => reliable(pingPong(Number(run.options["hits"]))),
  faults: "delay 5..20ms, loss 20%",
  checkers: [everyRallyEnds],
  witnesses: [],
  guide: [
    {
      text: "Lose a third of everything and see the ball come back.",
      command: "lightcone run ./examples/ping-pong.ts --faults 'loss 30%'",
    },
  ],
  narration: { ...reliableNarration, "ping-pong.returned": "has hit {hit} back from {peer}" },
};

export default lab;
