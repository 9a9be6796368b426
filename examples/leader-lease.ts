/**
 * A lease: P1 lends the lead to one process at a time, for a fixed term, and nobody has to give it back.
 *
 *   lightcone run ./examples/leader-lease.ts
 *   lightcone sim ./examples/leader-lease.ts --seeds 200 --faults 'loss 10%, delay 1..20ms'
 */
import { MILLISECOND, type Context, type Instant, type ProcessId, type Protocol } from "lightcone/core";
import { explained, type Checker } from "lightcone/checkers";
import { userOf, type Lab } from "lightcone/labs";

/** `at` is the asker's own clock when it asked; the grant brings it back. */
type Message = { readonly kind: "ask" | "grant"; readonly at: Instant };
type Command = "stand";
type Output = "leads" | "steps down";
type State = {
  readonly asked: Instant | null;
  readonly leads: boolean;
  /** At the lender: who has the lease. */
  readonly lentTo: ProcessId | null;
};

const RETRY = 30 * MILLISECOND;
/** A leader steps down this early, as its timer may be late. */
const MARGIN = 20 * MILLISECOND;

/** The term counts from the asking, so it is over at the leader before it is over at the lender. */
const lease = (term: number): Protocol<State, Message, Command, Output> => ({
  name: "leader-lease",
  start: () => ({ asked: null, leads: false, lentTo: null }),
  onCommand: (state, _stand, ctx) => ask(state, ctx),

  onMessage(state, from, { kind, at }, ctx) {
    if (kind === "ask" && state.lentTo !== null) {
      ctx.explain("lease.busy", { peer: from, holder: state.lentTo });
      return state;
    }
    if (kind === "ask") {
      ctx.explain("lease.lend", { peer: from });
      ctx.send(from, { kind: "grant", at });
      ctx.setTimer("expire", term);
      return { ...state, lentTo: from };
    }
    const left = at + term - MARGIN - ctx.now;
    if (state.leads || at !== state.asked || left <= 0) {
      ctx.explain("lease.late", {});
      return state;
    }
    ctx.cancelTimer("again");
    ctx.setTimer("step-down", left);
    ctx.output("leads");
    return { ...state, leads: true };
  },

  onTimer(state, timer, ctx) {
    if (timer === "again") return ask(state, ctx);
    if (timer === "expire") return { ...state, lentTo: null };
    ctx.output("steps down");
    return { ...state, asked: null, leads: false };
  },

  /** The lender has forgotten whom it lent to; after one term that no longer matters. */
  onRestart(_saved, ctx) {
    if (ctx.self === ctx.processes[0]) ctx.setTimer("expire", term);
    return { asked: null, leads: false, lentTo: ctx.self };
  },
});

function ask(state: State, ctx: Context<Message, Output>): State {
  ctx.send(ctx.processes[0] ?? ctx.self, { kind: "ask", at: ctx.now });
  ctx.setTimer("again", RETRY);
  return { ...state, asked: ctx.now };
}

/** Compares by time, not by causality: no message tells that a lease has run out. */
const oneLeader: Checker = {
  name: "one-leader",
  claim: "no two processes lead at once",
  kinds: ["output", "crash"],
  begin() {
    const terms: { id: string; process: ProcessId; from: Instant; to: Instant }[] = [];
    return {
      observe(event) {
        const { process, number, at } = event;
        const open = terms.findLast((one) => one.process === process && one.to === Infinity);
        if (event.kind === "output" && event.value === "leads") {
          terms.push({ id: `${process}:${number}`, process, from: at, to: Infinity });
        } else if (open !== undefined) open.to = at;
      },
      finish() {
        // Events come with causes before effects, which need not be the order of time.
        const inTime = terms.toSorted((a, b) => a.from - b.from);
        return inTime.slice(1).flatMap((next, before) => {
          const last = inTime[before];
          if (last === undefined || last.to <= next.from) return [];
          const message = `${next.process} leads from ${next.id} on, and ${last.process} since ${last.id}`;
          return [{ checker: "one-leader", message, evidence: [next.id, last.id] }];
        });
      },
      occasions: () => terms.length,
    };
  },
};

/** Stands as soon as it may, a number of times; P1 only lends. */
const candidate = userOf<number, Command, Output>({
  start({ index, run, random }) {
    const after = random.between(0, 50 * MILLISECOND);
    return {
      state: Number(run.options["terms"]),
      commands: index === 0 ? [] : [{ after, command: "stand" }],
    };
  },
  onOutput(left, output) {
    if (output === "leads") return { state: left - 1, commands: [] };
    return { state: left, commands: left === 0 ? [] : [{ after: 0, command: "stand" }] };
  },
});

const lab: Lab = {
  id: "leader-lease",
  title: "A lead that is lent for a term",
  summary: "P1 lends the lead to whoever asks first. It ends by itself, by the clock: no message says so.",
  processes: { min: 2, usual: 4, max: 50 },
  options: [
    { name: "terms", summary: "how often each leads", kind: "integer", usual: 3, min: 1, max: 1_000 },
    { name: "term", summary: "length of a lease", kind: "duration", usual: 100_000, min: 50_000 },
  ],
  protocol: ({ options }) => lease(Number(options["term"])),
  user: candidate,
  faults: "delay 1..20ms, loss 10%",
  checkers: [oneLeader],
  witnesses: [explained("contended", "a process asked while another led", ["lease.busy"])],
  guide: [
    {
      text: "A leader that stands still does not see its term end: two lead.",
      command: "lightcone sim ./examples/leader-lease.ts --seed 1 --faults 'pause P3 at 20ms..300ms'",
    },
  ],
  narration: {
    "lease.lend": "lends the lead to {peer}",
    "lease.busy": "does not answer {peer}: {holder} has the lead",
    "lease.late": "throws a grant away: it is late, or of an earlier asking",
  },
};

export default lab;
