import {
  MILLISECOND,
  SECOND,
  type Duration,
  type Plain,
  type RunSettings,
  type UserPlace,
  type UserStep,
} from "../core/index.js";
import { requestReplyCheckers, receiveHasSend, recordedClocks, type Checker } from "../checkers/index.js";
import { callMode, type CallCommand, type CallOutput, type RequestReplyOptions } from "../protocols/index.js";
import { userOf, type Lab, type LabOption } from "./lab.js";

/** What a client asks for in its `number`-th call, counted from 0. */
export type NextCall = (at: UserPlace, number: number) => { readonly method: string; readonly args: Plain };

interface CallerState {
  /** Calls given so far, those included that were lost in a crash. */
  readonly called: number;
}

/**
 * Calls the server, the first process, again and again: `in-flight` calls at a time, each new one after a pause, until
 * `calls` have been given. Takes some of them back, if the lab has an option `cancel`.
 */
export function callingUser(next: NextCall): Lab["user"] & object {
  const callAgain = (state: CallerState, at: UserPlace): UserStep<CallerState, CallCommand> => {
    if (at.index === 0 || state.called === Number(at.run.options["calls"])) return { state, commands: [] };
    const after = at.random.between(0, duration(at, "think"));
    const command: CallCommand = { kind: "call", ...next(at, state.called) };
    return { state: { called: state.called + 1 }, commands: [{ after, command }] };
  };

  const begin = (before: CallerState, at: UserPlace): UserStep<CallerState, CallCommand> => {
    let state = before;
    const commands = [];
    for (let i = 0; i < Number(at.run.options["in-flight"]); i++) {
      const step = callAgain(state, at);
      state = step.state;
      commands.push(...step.commands);
    }
    return { state, commands };
  };

  return userOf<CallerState, CallCommand, CallOutput>({
    start: (at) => begin({ called: 0 }, at),

    onOutput(state, output, at) {
      if (output.kind === "completed") return callAgain(state, at);
      const percent = Number(at.run.options["cancel"] ?? 0);
      if (output.kind === "executed" || !at.random.chance(percent / 100)) return { state, commands: [] };
      const after = at.random.between(0, 2 * duration(at, "think"));
      return { state, commands: [{ after, command: { kind: "cancel", id: output.id } }] };
    },

    /** The calls under way are lost with the process; it goes on with those that are left. */
    onRestart: begin,
  });
}

function duration(at: UserPlace, name: string): Duration {
  return Number(at.run.options[name]);
}

/** What every lab of callers and a server lets its user set; `calls` is how many each client gives. */
export function callOptions(calls: number): readonly LabOption[] {
  return [
    {
      name: "mode",
      summary: "maybe, at-least-once, at-most-once or exactly-once: what a caller may count on",
      kind: "text",
      usual: "exactly-once",
    },
    {
      name: "calls",
      summary: "calls each client makes",
      kind: "integer",
      usual: calls,
      min: 0,
      max: 100_000,
    },
    { name: "in-flight", summary: "of them at a time", kind: "integer", usual: 2, min: 1, max: 1_000 },
    {
      name: "think",
      summary: "longest pause before a call",
      kind: "duration",
      usual: 40 * MILLISECOND,
      min: 0,
    },
    { name: "deadline", summary: "time a caller gives a call", kind: "duration", usual: 5 * SECOND, min: 1 },
    {
      name: "attempts",
      summary: "sends of one call's request at most",
      kind: "integer",
      usual: 30,
      min: 1,
      max: 1_000_000,
    },
  ];
}

export function callSettings(
  run: RunSettings,
): Pick<RequestReplyOptions, "server" | "mode" | "deadline" | "attemptsMax"> {
  const [server = ""] = run.processes;
  const mode = callMode(String(run.options["mode"]));
  const deadline = Number(run.options["deadline"]);
  return { server, mode, deadline, attemptsMax: Number(run.options["attempts"]) };
}

export const callCheckers: readonly Checker[] = [receiveHasSend, recordedClocks, ...requestReplyCheckers];
