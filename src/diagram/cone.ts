import type { EventId, ProcessId } from "../core/index.js";
import { eventId } from "../core/index.js";
import { CausalityIndex, idOf, isInput, type Trace, type TraceEvent } from "../trace/index.js";
import { fitText, wrapText } from "./cells.js";
import { describeMessage } from "./describe.js";
import { terminalText } from "./glyphs.js";
import { messagePaths, type MessagePaths } from "./messages.js";
import { eventText, type Wording } from "./narration.js";
import { plainStyle, type Style } from "./text-line.js";
import { COLUMNS_MIN } from "./text-layout.js";
import { timeScale } from "./time-scale.js";

export interface ConeOptions extends Wording {
  /** Width to fill; default 80, at least 40. */
  readonly columns?: number;
  readonly ascii?: boolean;
  readonly style?: Style;
}

/** Of a longer chain only the end is shown. */
const CHAIN_MAX = 16;
/** Direct effects shown; a broadcast in a large group has as many as there are peers. */
const EFFECTS_MAX = 12;

/**
 * An event and its light cone in words: what could have caused it, what it could have affected, its direct causes and
 * effects, and the messages that led to it. Throws a `UsageError` when the trace has no such event.
 */
export function coneText(trace: Trace, event: EventId, options: ConeOptions = {}): string {
  return new ConeReport(trace, event, options).lines().join("\n");
}

class ConeReport {
  readonly #trace: Trace;
  readonly #options: ConeOptions;
  readonly #index: CausalityIndex;
  readonly #paths: MessagePaths;
  readonly #event: TraceEvent;
  readonly #id: EventId;
  readonly #time: (at: number) => string;
  readonly #style: Style;
  readonly #columns: number;

  constructor(trace: Trace, event: EventId, options: ConeOptions) {
    this.#trace = trace;
    this.#options = options;
    this.#index = CausalityIndex.of(trace);
    this.#event = this.#index.event(event);
    this.#id = event;
    this.#paths = messagePaths(trace);
    this.#time = timeScale(trace.events.map(({ at }) => at)).format;
    this.#style = options.style ?? plainStyle;
    const columns = options.columns ?? 80;
    this.#columns = Math.max(COLUMNS_MIN, Number.isFinite(columns) ? Math.floor(columns) : 80);
  }

  lines(): string[] {
    const past = this.#index.past(this.#id);
    const future = this.#index.future(this.#id);
    const counts = this.#index.processes.map((process) => this.#index.count(process));
    const before = sum(past) - (this.#isOnProcess() ? 1 : 0);
    const after = sum(
      future.map((first, lane) => (first === undefined ? 0 : (counts[lane] ?? 0) - first + 1)),
    );
    const later = Math.max(0, after - (this.#isOnProcess() ? 1 : 0));
    const concurrent = sum(counts) - before - later - (this.#isOnProcess() ? 1 : 0);
    return [
      ...this.#tell(this.#event, ""),
      "",
      ...this.#wrap(
        `${before} events could have caused it, it could affect ${later}, and ${concurrent} are concurrent: neither.`,
        "",
      ),
      "",
      ...this.#cutTable(past, future, counts),
      "",
      ...this.#section("Direct causes", this.#causes()),
      ...this.#section("Direct effects", this.#effects()),
      ...this.#chain(),
    ];
  }

  #isOnProcess(): boolean {
    return this.#index.processes.includes(this.#event.process);
  }

  /** Per process, how far the past reaches and where the future begins. */
  #cutTable(
    past: readonly number[],
    future: readonly (number | undefined)[],
    counts: readonly number[],
  ): string[] {
    const rows = this.#index.processes.map((process, lane) => {
      const last = past[lane] ?? 0;
      const first = future[lane];
      return [
        this.#safe(process),
        last === 0 ? "nothing" : `up to ${this.#named(process, last)}`,
        first === undefined ? "nothing" : `from ${this.#named(process, first)}`,
        String(counts[lane] ?? 0),
      ];
    });
    const table = [["process", "past", "future", "events"], ...rows];
    const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => (row[column] ?? "").length)));
    return table.map((row, place) => {
      const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
      return this.#style(fitText(`  ${line}`.trimEnd(), this.#columns), place === 0 ? "time" : "note");
    });
  }

  #named(process: ProcessId, number: number): string {
    const { at } = this.#index.event({ process, number });
    return `${this.#safe(eventId(process, number))} at ${this.#time(at)}`;
  }

  #causes(): TraceEvent[] {
    const { process, number } = this.#event;
    const causes: TraceEvent[] = [];
    if (this.#event.kind === "receive") {
      causes.push(this.#index.event({ process: this.#event.from, number: this.#event.send }));
    }
    if (number > 1) causes.push(this.#index.event({ process, number: number - 1 }));
    return causes;
  }

  #effects(): TraceEvent[] {
    const { process, number } = this.#event;
    const effects: TraceEvent[] = [];
    if (this.#event.kind === "send") {
      const path = this.#paths.at(this.#index.position(this.#id));
      for (const receive of path?.receives ?? []) {
        const event = this.#trace.events[receive];
        if (event !== undefined) effects.push(event);
      }
    }
    if (number < this.#index.count(process)) effects.push(this.#index.event({ process, number: number + 1 }));
    return effects.slice(0, EFFECTS_MAX);
  }

  #section(title: string, events: readonly TraceEvent[]): string[] {
    const body = events.length === 0 ? ["  none"] : events.flatMap((event) => this.#tell(event, "  "));
    return [this.#style(title, "name"), ...body, ""];
  }

  /**
   * What set off what: from the event back to the input of its step, from there to the send, and so on until a step
   * that no message began.
   */
  #chain(): string[] {
    const chain: TraceEvent[] = [this.#event];
    let here = this.#isOnProcess() ? this.#inputOf(this.#event) : undefined;
    while (here?.kind === "receive") {
      chain.push(this.#index.event({ process: here.from, number: here.send }));
      here = this.#inputOf(this.#index.event({ process: here.from, number: here.send }));
    }
    if (here !== undefined && here !== this.#event) chain.push(here);
    if (chain.length === 1) return [this.#style("Nothing set it off.", "name")];
    chain.reverse();
    const first = Math.max(0, chain.length - CHAIN_MAX);
    return [
      this.#style("What led to it, step by step", "name"),
      ...(first === 0 ? [] : [this.#style(`  ${first} earlier events`, "fold")]),
      ...chain.slice(first).flatMap((event) => this.#tell(event, "  ")),
    ];
  }

  #inputOf(event: TraceEvent): TraceEvent {
    let here = event;
    while (!isInput(here) && here.number > 1) {
      here = this.#index.event({ process: here.process, number: here.number - 1 });
    }
    return here;
  }

  #tell(event: TraceEvent, indent: string): string[] {
    const what = this.#safe(`${event.process} ${this.#words(event)}`);
    return this.#wrap(`${this.#safe(idOf(event))} at ${this.#time(event.at)}: ${what}`, indent);
  }

  #words(event: TraceEvent): string {
    if (event.kind !== "receive") return eventText(event, this.#options);
    const send = this.#index.event({ process: event.from, number: event.send });
    if (send.kind !== "send") return eventText(event, this.#options);
    const { message } = send;
    return `receives ${(this.#options.describe ?? describeMessage)(message).label} from ${event.from}`;
  }

  #wrap(text: string, indent: string): string[] {
    return wrapText(text, this.#columns - indent.length - 2).map((line, place) =>
      this.#style(`${indent}${place === 0 ? "" : "  "}${line}`, "note"),
    );
  }

  #safe(text: string): string {
    return terminalText(text, this.#options.ascii ?? false);
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
