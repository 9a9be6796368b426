import type { AnyUser, Context, Duration, ProcessId, Protocol } from "../core/index.js";
import type { Trace, TraceEvent } from "../trace/index.js";
import { simulate } from "./simulate.js";
import type { SimulationSettings } from "./simulation.js";

/** Something a {@link puppet} is told to do. */
export type Move =
  | { readonly send: ProcessId; readonly text: string }
  | { readonly timer: string; readonly after: Duration }
  | { readonly cancel: string }
  | { readonly save: unknown }
  | { readonly choose: number }
  | { readonly boast: string };

export interface PuppetState {
  /** What it took in: messages as `P1 text`, timers as `!name`, choices as `?index`. */
  readonly seen: readonly string[];
  /** What it had saved before the crash, if there was one. */
  readonly saved?: unknown;
}

/** Does what it is told, and tells what it takes in: for tests of whatever runs it. */
export const puppet: Protocol<PuppetState, string, Move, string> = {
  name: "puppet",
  start: () => ({ seen: [] }),
  onMessage: (state, from, text, ctx) => see(state, `${from} ${text}`, ctx),
  onTimer: (state, timer, ctx) => see(state, `!${timer}`, ctx),
  onRestart: (saved) => ({ seen: [], saved }),
  onCommand(state, move, ctx) {
    if ("send" in move) ctx.send(move.send, move.text);
    else if ("timer" in move) ctx.setTimer(move.timer, move.after);
    else if ("cancel" in move) ctx.cancelTimer(move.cancel);
    else if ("save" in move) ctx.save(move.save);
    else if ("boast" in move) ctx.output(move.boast);
    else {
      const options = Array.from({ length: move.choose }, (_, i) => i);
      return see(state, `?${ctx.choose("which", options)}`, ctx);
    }
    return state;
  },
};

function see(state: PuppetState, what: string, ctx: Context<string, string>): PuppetState {
  ctx.output(what);
  return { ...state, seen: [...state.seen, what] };
}

/** At which time, in microseconds, which process makes which move. */
export type Script = readonly (readonly [at: Duration, process: ProcessId, move: Move])[];

export function scripted(script: Script): AnyUser {
  return {
    start: ({ self }) => ({
      state: null,
      commands: script.flatMap(([after, process, command]) => (process === self ? [{ after, command }] : [])),
    }),
    onRestart: () => ({ state: null, commands: [] }),
  };
}

/** P1 and P2 play the script over a network that takes exactly a millisecond, unless the settings say otherwise. */
export function settingsOf(script: Script, settings: Partial<SimulationSettings> = {}): SimulationSettings {
  return {
    processes: ["P1", "P2"],
    seed: 1,
    options: {},
    protocol: puppet,
    user: scripted(script),
    latency: { min: 1_000, max: 1_000 },
    ...settings,
  };
}

export function play(script: Script, settings: Partial<SimulationSettings> = {}): Trace {
  return simulate(settingsOf(script, settings), { lab: "puppet", lightcone: "0.0.0" });
}

/** What a process took in, each with the time: `["2000 P1 hello"]`. */
export function seenBy(process: ProcessId, trace: Trace): string[] {
  return trace.events.flatMap((event) =>
    event.process === process && event.kind === "output" ? [`${event.at} ${String(event.value)}`] : [],
  );
}

/** The events of some kinds, for comparisons with `toMatchObject`. */
export function ofKind(trace: Trace, ...kinds: readonly TraceEvent["kind"][]): TraceEvent[] {
  return trace.events.filter(({ kind }) => kinds.includes(kind));
}
