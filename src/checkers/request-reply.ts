import { operationId, samePlain, type EventId, type Instant, type Plain } from "../core/index.js";
import { idOf, type TraceEvent } from "../trace/index.js";
import type { Checker, Scope } from "./checker.js";
import { callMessage, operationOutput } from "./operation-output.js";
import { Violations } from "./violations.js";

// The checkers read a lab's options: `mode`, a request/reply mode, and `attempts`, its limit.

const KEPT_REPLIES: Scope = {
  runs: "the modes at-most-once and exactly-once",
  includes: ({ options }) => options["mode"] === "at-most-once" || options["mode"] === "exactly-once",
};

/** No call has its effect twice, whatever is repeated, and across restarts of the server. */
export const executedAtMostOnce: Checker = {
  name: "executed-at-most-once",
  claim: "no call has its effect twice",
  kinds: ["output"],
  only: KEPT_REPLIES,
  begin() {
    let runs = 0;
    const executed = new Map<string, EventId>();
    const violations = new Violations("executed-at-most-once");
    return {
      observe(event) {
        const output = operationOutput(event);
        if (output?.kind !== "executed") return;
        runs++;
        const before = executed.get(output.id);
        if (before === undefined) executed.set(output.id, idOf(event));
        else {
          const message = `${event.process} ran ${output.id} at ${idOf(event)}, which had run at ${before}`;
          violations.add(message, [idOf(event), before]);
        }
      },
      finish: () => violations.found,
      occasions: () => runs,
    };
  },
};

/** A call ends once, and only what was called ends. */
export const completedOnce: Checker = {
  name: "completed-once",
  claim: "a call has at most one outcome",
  kinds: ["output"],
  begin() {
    const invoked = new Set<string>();
    const completed = new Map<string, EventId>();
    const violations = new Violations("completed-once");
    return {
      observe(event) {
        const output = operationOutput(event);
        if (output?.kind === "invoked") invoked.add(output.id);
        if (output?.kind !== "completed") return;
        const before = completed.get(output.id);
        if (before !== undefined) {
          const message = `${output.id} ended at ${before} and again at ${idOf(event)}`;
          violations.add(message, [idOf(event), before]);
        } else if (!invoked.has(output.id)) {
          violations.add(`${output.id} ended at ${idOf(event)}, but nobody had called it`, [idOf(event)]);
        }
        completed.set(output.id, idOf(event));
      },
      finish: () => violations.found,
      occasions: () => completed.size,
    };
  },
};

interface Execution {
  readonly event: TraceEvent;
  readonly value: Plain;
}

/** What runs is what was called, and what the caller gets is what came of it: the run happens before the result. */
export const resultOfExecution: Checker = {
  name: "result-of-execution",
  claim: "what runs was called so, and a result is that of a run of this very call, which came before",
  kinds: ["output"],
  begin() {
    let results = 0;
    const invoked = new Map<string, Plain>();
    const executed = new Map<string, Execution[]>();
    const violations = new Violations("result-of-execution");
    return {
      observe(event, past) {
        const output = operationOutput(event);
        switch (output?.kind) {
          case undefined:
            return;
          case "invoked":
            invoked.set(output.id, output.what);
            return;
          case "executed": {
            const what = invoked.get(output.id);
            if (what === undefined || !samePlain(what, output.what)) {
              const asked = what === undefined ? "nobody had called" : "was called otherwise";
              violations.add(`${event.process} ran ${output.id} at ${idOf(event)}, which ${asked}`, [
                idOf(event),
              ]);
            }
            const runs = executed.get(output.id) ?? [];
            executed.set(output.id, [...runs, { event, value: output.value }]);
            return;
          }
          case "completed": {
            if (output.outcome !== "ok") return;
            results++;
            const known = (executed.get(output.id) ?? []).filter(
              ({ event: run }) => run.number <= past.known(run.process),
            );
            if (known.some(({ value }) => samePlain(value, output.value))) return;
            const [run] = known;
            const message =
              run === undefined
                ? `${output.id} ended at ${idOf(event)} with a result, but had not run`
                : `${output.id} ended at ${idOf(event)} with ${JSON.stringify(output.value)}, ` +
                  `but its run at ${idOf(run.event)} gave ${JSON.stringify(run.value)}`;
            violations.add(message, [idOf(event), ...(run === undefined ? [] : [idOf(run.event)])]);
          }
        }
      },
      finish: () => violations.found,
      occasions: () => results,
    };
  },
};

/** A caller that is told `failed` may do the thing some other way: it did not run, and never will. */
export const failedNeverRan: Checker = {
  name: "failed-never-ran",
  claim: "a call whose outcome is failed does not run, before or after",
  kinds: ["output"],
  begin() {
    let outcomes = 0;
    const failed = new Map<string, EventId>();
    const executed = new Map<string, EventId>();
    const violations = new Violations("failed-never-ran");
    const found = (id: string, told: EventId, ran: EventId): void =>
      violations.add(`${id} was reported failed at ${told}, but it ran at ${ran}`, [told, ran]);
    return {
      observe(event) {
        const output = operationOutput(event);
        if (output?.kind === "completed") outcomes++;
        if (output?.kind === "executed") {
          executed.set(output.id, idOf(event));
          const told = failed.get(output.id);
          if (told !== undefined) found(output.id, told, idOf(event));
        } else if (output?.kind === "completed" && output.outcome === "failed") {
          failed.set(output.id, idOf(event));
          const ran = executed.get(output.id);
          if (ran !== undefined) found(output.id, idOf(event), ran);
        }
      },
      finish: () => violations.found,
      // Every outcome is an occasion to say falsely that a call failed.
      occasions: () => outcomes,
    };
  },
};

/** Once nothing is left to happen, every caller knows how its call ended. Says nothing of a run that was cut short. */
export const everyCallAnswered: Checker = {
  name: "every-call-answered",
  claim: "when nothing is left to happen, every call of a living client has its outcome",
  kinds: ["output", "crash"],
  begin() {
    let calls = 0;
    let judged = 0;
    const open = new Map<string, TraceEvent>();
    return {
      observe(event) {
        if (event.kind === "crash") {
          for (const [id, call] of open) if (call.process === event.process) open.delete(id);
        }
        const output = operationOutput(event);
        if (output?.kind === "invoked") {
          calls++;
          open.set(output.id, event);
        } else if (output?.kind === "completed") open.delete(output.id);
      },
      finish(end) {
        const violations = new Violations("every-call-answered");
        if (end.stopped !== "quiescent") return violations.found;
        judged = calls;
        for (const [id, call] of open) {
          const message = `${call.process} never learned how ${id} of ${idOf(call)} ended, and nothing is left to happen`;
          violations.add(message, [idOf(call)]);
        }
        return violations.found;
      },
      occasions: () => judged,
    };
  },
};

interface Allowance {
  readonly process: string;
  readonly until: Instant;
  attempts: number;
}

/** A client keeps to its limits: so many attempts, none after the deadline, and each says what time is left. */
export const withinCallLimits: Checker = {
  name: "within-call-limits",
  claim:
    "no call is sent too often, none after its deadline, and none with more time than its caller has left",
  kinds: ["output", "send", "crash"],
  begin({ options }) {
    const attemptsMax = options["mode"] === "maybe" ? 1 : Number(options["attempts"] ?? Infinity);
    let sends = 0;
    const calls = new Map<string, Allowance>();
    const violations = new Violations("within-call-limits");
    return {
      observe(event) {
        const now = event.local ?? event.at;
        if (event.kind === "crash") {
          for (const [id, { process }] of calls) if (process === event.process) calls.delete(id);
        }
        const output = operationOutput(event);
        if (output?.kind === "invoked") {
          calls.set(output.id, { process: event.process, until: now + output.deadline, attempts: 0 });
        }
        if (event.kind !== "send") return;
        const message = callMessage(event.message);
        if (message?.kind !== "request" && message?.kind !== "cancel") return;
        sends++;
        const id = operationId(event.process, message.incarnation, message.seq);
        const call = calls.get(id);
        if (call === undefined) {
          violations.add(`${event.process} sent ${id} at ${idOf(event)}, which nobody had called`, [
            idOf(event),
          ]);
          return;
        }
        if (message.kind === "request") call.attempts++;
        if (call.attempts > attemptsMax) {
          const message = `${id} was sent ${call.attempts} times by ${idOf(event)}; the limit is ${attemptsMax}`;
          violations.add(message, [idOf(event)]);
        }
        const left = call.until - now;
        if (left <= 0) {
          violations.add(`${id} was sent at ${idOf(event)}, ${-left} µs after its deadline`, [idOf(event)]);
        } else if ((message.budget ?? 0) > left) {
          violations.add(
            `${id} was sent at ${idOf(event)} with a budget of ${message.budget} µs; its caller has ${left} µs left`,
            [idOf(event)],
          );
        }
      },
      finish: () => violations.found,
      occasions: () => sends,
    };
  },
};

/** All that a request/reply lab promises. */
export const requestReplyCheckers: readonly Checker[] = [
  executedAtMostOnce,
  completedOnce,
  resultOfExecution,
  failedNeverRan,
  everyCallAnswered,
  withinCallLimits,
];
