import type { ProcessId } from "../../core/index.js";
import type { Utterance } from "../../labs/index.js";
import type { PeerView, ProcessView, ReceivedView, SentView, Tone, WaitingView } from "../../page/index.js";
import { counted } from "./counted.js";

/** Messages that a page shows of each kind; older ones leave it, and stay in the log. */
const SHOWN_MAX = 100;

/** Characters of a message that a page and a log line show. */
export const SHOWN_CHARACTERS_MAX = 2_000;

/** Delivered messages that nobody has fetched by `GET /receive_message`; the oldest makes room, and is counted. */
export const INBOX_MAX = 1_000;

export interface StoryTeller {
  readonly pid: string;
  readonly self: ProcessId;
  readonly processes: readonly ProcessId[];
  readonly transport: string;
  readonly peers: readonly { readonly process: ProcessId; readonly address: string }[];
  readonly settings: ProcessView["settings"];
  /** A line of the log. */
  readonly onLine: (text: string, tone: Tone) => void;
  /** The view is another one now. */
  readonly onChange: () => void;
}

/** A message as it travels: its number is the sender's entry of the stamp. */
export interface Stamped {
  readonly stamp: readonly number[];
  readonly payload: Utterance;
}

/** What one process has sent, got and waits for, told as it happens: log lines, and the view of its page. */
export class Story {
  address = "";
  readonly #by: StoryTeller;
  readonly #vector: number[];
  readonly #peers: Map<ProcessId, PeerView>;
  readonly #sent: SentView[] = [];
  readonly #received: ReceivedView[] = [];
  readonly #waiting = new Map<string, Omit<WaitingView, "missing">>();
  readonly #inbox: { readonly from: ProcessId; readonly text: string }[] = [];
  #receivedTotal = 0;
  #trouble = "";
  #arriving: readonly number[] = [];
  #status: ProcessView["status"] = { tone: "plain", text: "" };

  constructor(by: StoryTeller) {
    this.#by = by;
    this.#vector = by.processes.map(() => 0);
    this.#peers = new Map(
      by.peers.map(({ process, address }) => [process, { process, address, state: "unknown", detail: "" }]),
    );
  }

  /** A line of the log, and the page's status bar. */
  line(text: string, tone: Tone = "plain"): void {
    this.#status = { tone, text: shortened(text) };
    this.#by.onLine(shortened(text), tone);
    this.#by.onChange();
  }

  /** The same, with the vector here before it: what the message to be told of has made of it. */
  #counted(text: string, tone: Tone = "plain"): void {
    this.#status = { tone, text: shortened(text) };
    this.#by.onLine(shortened(`${vectorText(this.#vector)}  ${text}`), tone);
    this.#by.onChange();
  }

  /** Something that may go on for long: told once until something else is. */
  trouble(text: string): void {
    if (text !== this.#trouble) this.line(text, "warn");
    this.#trouble = text;
  }

  /** A rule of the protocol has decided something that people want to know. */
  explained(rule: string, terms: Readonly<Record<string, unknown>>): void {
    const peer = String(terms["peer"]);
    switch (rule) {
      case "causal.wait":
        this.#waits(String(terms["from"]), Number(terms["sequence"]));
        return;
      case "causal.overflow":
        this.line(
          `message ${String(terms["sequence"])} of ${String(terms["from"])} is lost: ${String(terms["bufferMax"])} wait already`,
          "bad",
        );
        return;
      case "link.gave-up": {
        const tried = `no answer to ${counted(Number(terms["attempts"]), "retry", "retries")}`;
        this.peer(peer, "given-up", tried);
        const waiting = counted(Number(terms["unacknowledged"]), "message waits", "messages wait");
        this.line(`gives up on ${peer}: ${tried}; ${waiting} for its return`, "bad");
        return;
      }
      case "link.revived":
        this.peer(peer, "here");
        this.line(`${peer} answers again`, "good");
        return;
      case "link.refused":
        this.line(`a message for ${peer} is lost: ${String(terms["limit"])} wait for it already`, "bad");
        return;
      default:
        return;
    }
  }

  /** How many messages of a process are delivered here; of this one, how many it has sent. */
  countOf(process: ProcessId): number {
    return this.#vector[this.#by.processes.indexOf(process)] ?? 0;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** The oldest message that nobody has fetched yet. */
  fetch(): { readonly from: ProcessId; readonly text: string } | undefined {
    return this.#inbox.shift();
  }

  peer(process: ProcessId, state: PeerView["state"], detail = ""): void {
    const before = this.#peers.get(process);
    if (before === undefined || (before.state === state && before.detail === detail)) return;
    this.#peers.set(process, { ...before, state, detail });
    this.#by.onChange();
  }

  /** A message has come in; whether it is delivered or waits shows in what follows. */
  arrived({ stamp }: Stamped): void {
    this.#arriving = stamp;
  }

  /** The message that arrived last has to wait. */
  #waits(from: ProcessId, number: number): void {
    this.#waiting.set(key(from, number), { from, number, since: Date.now(), stamp: this.#arriving });
    const missing = this.#missing(from, this.#arriving);
    const stamp = vectorText(this.#arriving);
    this.#counted(
      `message ${number} of ${from} waits for ${missing.map(described).join(", ")}; its stamp is ${stamp}`,
      "warn",
    );
  }

  delivered(from: ProcessId, number: number, { text, to }: Utterance): void {
    const { self, processes } = this.#by;
    this.#vector[processes.indexOf(from)] = number;
    if (from === self) {
      const copies = processes
        .filter((process) => process !== self)
        .map((process) => ({ process, left: false }));
      const sent: SentView = {
        number,
        text: shortened(text ?? ""),
        at: Date.now(),
        stamp: [...this.#vector],
        copies,
        ...(to !== undefined && { to }),
      };
      keepNewest(this.#sent, sent);
      this.#counted(`message ${number} to ${to ?? "all"}: ${text ?? ""}`);
      return;
    }
    const waited = this.#waiting.get(key(from, number));
    this.#waiting.delete(key(from, number));
    const waitedMs = waited === undefined ? undefined : Date.now() - waited.since;
    this.#receivedTotal++;
    keepNewest(this.#received, {
      from,
      number,
      at: Date.now(),
      stamp: waited?.stamp ?? this.#arriving,
      ...(text !== undefined && { text: shortened(text) }),
      ...(to !== undefined && { to }),
      ...(waitedMs !== undefined && { waitedMs }),
    });
    const after = waitedMs === undefined ? "" : ` (waited ${(waitedMs / 1000).toFixed(1)} s)`;
    if (text === undefined) {
      this.#counted(`message ${number} of ${from} is for ${to ?? "another"}${after}`);
      return;
    }
    if (this.#inbox.length >= INBOX_MAX) this.#inbox.shift();
    this.#inbox.push({ from, text });
    this.#counted(
      `message ${number} of ${from}${to === undefined ? "" : ` to ${to}`}: ${text}${after}`,
      "good",
    );
  }

  /** A copy has left, perhaps once more. */
  left(to: ProcessId, { stamp }: Stamped): void {
    const number = stamp[this.#by.processes.indexOf(this.#by.self)];
    const place = this.#sent.findIndex((sent) => sent.number === number);
    const sent = this.#sent[place];
    if (sent === undefined || sent.copies.some(({ process, left }) => process === to && left)) return;
    this.#sent[place] = {
      ...sent,
      copies: sent.copies.map((copy) => (copy.process === to ? { ...copy, left: true } : copy)),
    };
    this.#counted(`message ${sent.number} leaves for ${to}; its stamp is ${vectorText(stamp)}`);
  }

  view(): ProcessView {
    const { pid, self, processes, transport, settings } = this.#by;
    return {
      pid,
      name: self,
      transport,
      address: this.address,
      vector: processes.map((process, i) => ({ process, count: this.#vector[i] ?? 0 })),
      peers: [...this.#peers.values()],
      sent: { total: this.#vector[processes.indexOf(self)] ?? 0, newest: this.#sent },
      received: { total: this.#receivedTotal, newest: this.#received },
      waiting: {
        total: this.#waiting.size,
        newest: [...this.#waiting.values()].slice(0, SHOWN_MAX).map((waiting) => ({
          ...waiting,
          missing: this.#missing(waiting.from, waiting.stamp),
        })),
      },
      settings,
      status: this.#status,
    };
  }

  /** What is not delivered yet of what the sender had, and of its own messages before this one. */
  #missing(from: ProcessId, stamp: readonly number[]): WaitingView["missing"] {
    return this.#by.processes.flatMap((process, i) => {
      const first = (this.#vector[i] ?? 0) + 1;
      const last = (stamp[i] ?? 0) - (process === from ? 1 : 0);
      return last < first ? [] : [{ process, first, last }];
    });
  }
}

function described({ process, first, last }: WaitingView["missing"][number]): string {
  return first === last ? `message ${first} of ${process}` : `messages ${first} to ${last} of ${process}`;
}

/** As the published programs print it. */
function vectorText(vector: readonly number[]): string {
  return `[${vector.join(", ")}]`;
}

function key(from: ProcessId, number: number): string {
  return `${from}#${number}`;
}

function keepNewest<Message>(list: Message[], message: Message): void {
  list.push(message);
  if (list.length > SHOWN_MAX) list.shift();
}

function shortened(text: string): string {
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text;
}
