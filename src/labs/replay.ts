import {
  invariant,
  placeOf,
  samePlain,
  stepAny,
  type Effect,
  type Input,
  type Plain,
  type ProcessId,
} from "../core/index.js";
import {
  idOf,
  isInput,
  type EffectEvent,
  type InputEvent,
  type Trace,
  type TraceEvent,
} from "../trace/index.js";
import type { Lab } from "./lab.js";
import { runSettings } from "./run-lab.js";

/** What running a trace's inputs again gave. */
export interface Replay {
  /** Handlers run again. */
  readonly steps: number;
  /** Where the protocol did something else than the trace says; empty when the replay is exact. */
  readonly differences: readonly Difference[];
  /** Each process's state at the end of its lane; absent for one that ended in a crash. */
  readonly states: ReadonlyMap<ProcessId, unknown>;
}

export interface Difference {
  /** The input whose step differs. */
  readonly at: string;
  readonly message: string;
}

/** The first ones tell enough: after a difference, everything may differ. */
const DIFFERENCES_MAX = 10;

/**
 * Gives every process the inputs of its lane again, with the recorded clock readings and picks, and compares what its
 * handlers do with what the trace says they did. Works on simulated and real traces alike: a step depends on nothing
 * else.
 */
export function replay(lab: Lab, trace: Trace): Replay {
  const settings = runSettings(lab, trace.header);
  const protocol = lab.protocol(settings);
  const messages = sentMessages(trace.events);
  const differences: Difference[] = [];
  const states = new Map<ProcessId, unknown>();
  let steps = 0;
  for (const process of trace.header.processes) {
    const place = placeOf(trace.header.processes, process);
    const lane = trace.events.filter((event) => event.process === process);
    let state: unknown;
    let incarnation = 0;
    for (const { input: event, effects, cut } of stepsOf(lane)) {
      if (event.kind === "start" || event.kind === "restart") incarnation = event.incarnation;
      const input = inputOf(event, messages);
      if (input === undefined) {
        differences.push({
          at: idOf(event),
          message: `${idOf(event)} receives a message that no send of the trace carries`,
        });
        break;
      }
      const picks = [...(event.picks ?? [])];
      const result = attempt(() =>
        stepAny(protocol, state, input, {
          place,
          incarnation,
          now: event.local ?? event.at,
          pick: (_name, count) => Math.min(picks.shift() ?? 0, count - 1),
        }),
      );
      steps++;
      if (result instanceof Error) {
        differences.push({
          at: idOf(event),
          message: `the step of ${idOf(event)} now throws: ${result.message}`,
        });
        break;
      }
      state = result.state;
      const difference =
        comparePicks(event.picks ?? [], result.picks) ??
        compare(effects, result.effects.filter(isRecorded), cut);
      if (difference !== undefined && differences.length < DIFFERENCES_MAX) {
        differences.push({ at: idOf(event), message: `the step of ${idOf(event)}: ${difference}` });
      }
    }
    if (lane.at(-1)?.kind !== "crash") states.set(process, state);
  }
  return { steps, differences, states };
}

/** A handler that throws is a finding here: the recorded one did not. */
function attempt<Result>(run: () => Result): Result | Error {
  try {
    return run();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

interface RecordedStep {
  readonly input: InputEvent;
  readonly effects: readonly EffectEvent[];
  /** A crash follows: the last effects may have died with the process. */
  readonly cut: boolean;
}

function stepsOf(lane: readonly TraceEvent[]): RecordedStep[] {
  const steps: { input: InputEvent; effects: EffectEvent[]; cut: boolean }[] = [];
  for (const event of lane) {
    const last = steps.at(-1);
    if (isInput(event)) steps.push({ input: event, effects: [], cut: false });
    else if (event.kind === "crash" && last !== undefined) last.cut = true;
    else if (isEffect(event)) last?.effects.push(event);
  }
  return steps;
}

function isEffect(event: TraceEvent): event is EffectEvent {
  switch (event.kind) {
    case "send":
    case "deliver":
    case "output":
    case "save":
    case "explain":
      return true;
    default:
      return false;
  }
}

/** Timers leave their mark when they fire, not when they are set. */
function isRecorded(effect: Effect): boolean {
  return effect.kind !== "set-timer" && effect.kind !== "cancel-timer";
}

function inputOf(event: InputEvent, messages: ReadonlyMap<string, unknown>): Input | undefined {
  switch (event.kind) {
    case "start":
      return { kind: "start" };
    case "restart":
      return { kind: "restart", saved: event.saved };
    case "timer":
      return { kind: "timer", timer: event.timer };
    case "command":
      return { kind: "command", command: event.command };
    case "receive": {
      const send = `${event.from}:${event.send}`;
      if (!messages.has(send)) return undefined;
      return { kind: "message", from: event.from, message: messages.get(send) };
    }
  }
}

function sentMessages(events: readonly TraceEvent[]): ReadonlyMap<string, unknown> {
  const messages = new Map<string, unknown>();
  for (const event of events) if (event.kind === "send") messages.set(idOf(event), event.message);
  return messages;
}

function comparePicks(recorded: readonly number[], taken: readonly number[]): string | undefined {
  if (same(recorded, taken)) return undefined;
  return `its choices were [${recorded.join(", ")}] and can only be [${taken.join(", ")}] now`;
}

/** The first difference in words, or `undefined`. A save that a full disk did not keep is absent from the trace. */
function compare(
  recorded: readonly EffectEvent[],
  done: readonly Effect[],
  cut: boolean,
): string | undefined {
  let next = 0;
  for (const effect of done) {
    const event = recorded[next];
    if (event !== undefined && isSame(event, effect)) next++;
    else if (effect.kind !== "save" && !(event === undefined && cut)) {
      return event === undefined
        ? `now also makes ${one(effect.kind)}, which the trace does not have`
        : event.kind === effect.kind
          ? `now makes ${one(effect.kind)} that says something else than ${idOf(event)}`
          : `now makes ${one(effect.kind)} where the trace has ${idOf(event)}, ${one(event.kind)}`;
    }
  }
  const left = recorded[next];
  return left === undefined ? undefined : `no longer makes ${idOf(left)}, ${one(left.kind)}`;
}

function one(kind: string): string {
  return `${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind}`;
}

function isSame(event: EffectEvent, effect: Effect): boolean {
  switch (event.kind) {
    case "send":
      return effect.kind === "send" && effect.to === event.to && same(effect.message, event.message);
    case "deliver":
      return (
        effect.kind === "deliver" &&
        effect.layer === event.layer &&
        effect.from === event.from &&
        effect.sequence === event.sequence &&
        same(effect.message, event.message)
      );
    case "output":
      return effect.kind === "output" && same(effect.value, event.value);
    case "save":
      return effect.kind === "save" && same(effect.saved, event.saved);
    case "explain":
      return effect.kind === "explain" && effect.rule === event.rule && same(effect.terms, event.terms);
  }
}

function same(a: unknown, b: unknown): boolean {
  return samePlain(plain(a), plain(b));
}

/** Protocols promise plain data; the type of an effect cannot say so. */
function plain(value: unknown): Plain | undefined {
  invariant(
    typeof value !== "function" && typeof value !== "symbol",
    "a protocol put something that is no plain data into an effect",
  );
  return value as Plain | undefined;
}
