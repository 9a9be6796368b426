/*
 * The script of the page: shows each view that the process sends, and sends what is typed. What peers wrote is only
 * ever set as text.
 */
import type { PeerView, ProcessView, ReceivedView, SentView, WaitingView } from "./process-view.js";

/** Hues of the style sheet; processes beyond repeat them. */
const HUES = 8;

let view: ProcessView | undefined;

function start(): void {
  const events = new EventSource("/events");
  events.addEventListener("message", (event: MessageEvent<string>) => {
    view = JSON.parse(event.data) as ProcessView; // from our own process, by our own type
    show(view);
  });
  events.addEventListener("error", () => {
    setText("status", "The process does not answer. Trying again …");
    element("status-dot").className = "dot bad";
  });
  setUpForm();
  setUpTheme();
  // "waiting for 3 s" grows by itself.
  setInterval(() => {
    if (view !== undefined) showWaiting(view);
  }, 1000);
}

function show(now: ProcessView): void {
  document.title = `${now.name} · Lightcone`;
  setText("name", now.name);
  setText("pid", `process ${now.pid} of ${now.vector.length}`);
  setText("where", now.address);
  const hue = `hue-${hueOf(now.name, now)}`;
  element("badge").className = `badge ${hue}`;
  setText("badge", now.name);
  showVector(now);
  showPeers(now);
  showSent(now);
  showReceived(now);
  showWaiting(now);
  showSettings(now);
  showRecipients(now);
  setText("status", now.status.text);
  element("status-dot").className = `dot ${now.status.tone}`;
}

// ── Lists ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Makes the children of a list those of `items`: kept where the key is the same, so that nothing that stays is read out
 * again, and built where it is new.
 */
function reconcile<Item>(
  list: HTMLElement,
  items: readonly Item[],
  key: (item: Item) => string,
  fill: (row: HTMLElement, item: Item, isNew: boolean) => void,
): void {
  const kept = new Map<string, HTMLElement>();
  for (const child of list.children) {
    if (child instanceof HTMLElement && child.dataset["key"] !== undefined)
      kept.set(child.dataset["key"], child);
  }
  let place: Element | null = list.firstElementChild;
  for (const item of items) {
    const name = key(item);
    const known = kept.get(name);
    const row = known ?? make("li");
    row.dataset["key"] = name;
    kept.delete(name);
    fill(row, item, known === undefined);
    if (row === place) place = place.nextElementSibling;
    else list.insertBefore(row, place);
  }
  for (const gone of kept.values()) gone.remove();
}

function showVector(now: ProcessView): void {
  reconcile(
    element("vector"),
    now.vector,
    ({ process }) => process,
    (row, { process, count }, isNew) => {
      const changed = !isNew && row.dataset["count"] !== `${count}`;
      row.dataset["count"] = `${count}`;
      row.className = `entry hue-${hueOf(process, now)}${process === now.name ? " own" : ""}`;
      row.replaceChildren(make("span", "process", process), make("span", "count", `${count}`));
      if (changed) {
        row.classList.add("ticked");
        setTimeout(() => row.classList.remove("ticked"), 900);
      }
    },
  );
}

const PEER_STATES: Readonly<Record<PeerView["state"], string>> = {
  here: "here",
  away: "away",
  "given-up": "given up",
  unknown: "not seen yet",
};

function showPeers(now: ProcessView): void {
  reconcile(
    element("peers"),
    now.peers,
    ({ process }) => process,
    (row, { process, address, state, detail }) => {
      row.className = `peer hue-${hueOf(process, now)}`;
      const state_ = make("span", `pill ${state}`, PEER_STATES[state]);
      const lines = [make("span", "address", address)];
      if (detail !== "") lines.push(make("span", "detail", detail));
      row.replaceChildren(make("span", "process", process), state_, ...lines);
    },
  );
}

function showReceived(now: ProcessView): void {
  const { total, newest } = now.received;
  setText("received-count", `${total}`);
  element("received-empty").hidden = newest.length > 0;
  reconcile(
    element("received"),
    newest.toReversed(),
    ({ from, number }) => `${from}#${number}`,
    (row, message, isNew) => {
      if (isNew) fillReceived(row, message, now);
    },
  );
}

function fillReceived(row: HTMLElement, message: ReceivedView, now: ProcessView): void {
  row.className = `message hue-${hueOf(message.from, now)}${message.text === undefined ? " blank" : ""}`;
  const notes = [make("span", "stamp", stampText(message.stamp))];
  if (message.to !== undefined) notes.unshift(make("span", "note", `to ${message.to} only`));
  if (message.waitedMs !== undefined)
    notes.push(make("span", "note late", `waited ${seconds(message.waitedMs)}`));
  const text = message.text ?? `a message for ${message.to ?? "another process"}`;
  row.replaceChildren(
    head(message.from, message.number, message.at),
    make("p", "text", text),
    group("notes", notes),
  );
}

function showSent(now: ProcessView): void {
  const { total, newest } = now.sent;
  setText("sent-count", `${total}`);
  element("sent-empty").hidden = newest.length > 0;
  reconcile(
    element("sent"),
    newest.toReversed(),
    ({ number }) => `${number}`,
    (row, message) => fillSent(row, message, now),
  );
}

function fillSent(row: HTMLElement, message: SentView, now: ProcessView): void {
  const state = message.copies.map(({ left }) => (left ? "1" : "0")).join("");
  if (row.dataset["state"] === state) return;
  row.dataset["state"] = state;
  row.className = `message hue-${hueOf(now.name, now)}`;
  const copies = message.copies.map(({ process, left }) => {
    const text = left ? `left for ${process}` : `${process} later`;
    return make("span", `copy ${left ? "left" : "held"} hue-${hueOf(process, now)}`, text);
  });
  row.replaceChildren(
    head(message.to === undefined ? "to all" : `to ${message.to}`, message.number, message.at),
    make("p", "text", message.text),
    group("notes", [make("span", "stamp", stampText(message.stamp)), ...copies]),
  );
}

function showWaiting(now: ProcessView): void {
  const { total, newest } = now.waiting;
  setText("waiting-count", `${total}`);
  element("waiting-empty").hidden = newest.length > 0;
  reconcile(
    element("waiting"),
    newest,
    ({ from, number }) => `${from}#${number}`,
    (row, message) => fillWaiting(row, message, now),
  );
}

function fillWaiting(row: HTMLElement, message: WaitingView, now: ProcessView): void {
  row.className = `message held-back hue-${hueOf(message.from, now)}`;
  const parts: (string | Node)[] = [];
  for (const { process, first, last } of message.missing) {
    parts.push(parts.length === 0 ? "waits for " : " and ");
    const many = first === last ? `message ${first} of ` : `messages ${first} to ${last} of `;
    parts.push(many, make("span", `name hue-${hueOf(process, now)}`, process));
  }
  const why = make("p", "why");
  why.append(...parts);
  const notes = [
    make("span", "stamp", stampText(message.stamp)),
    make("span", "note late", `for ${seconds(Math.max(0, Date.now() - message.since))}`),
  ];
  row.replaceChildren(head(message.from, message.number, message.since), why, group("notes", notes));
}

function showSettings(now: ProcessView): void {
  element("settings").replaceChildren(
    ...now.settings.flatMap(({ name, value }) => [make("dt", "", name), make("dd", "", value)]),
  );
}

/** Built once: rebuilding a select would take it from the hands of whoever is choosing. */
function showRecipients(now: ProcessView): void {
  const select = element("address");
  if (select.children.length > 1) return;
  for (const { process, address } of now.peers) {
    const option = make("option", "", `${process} only, at ${address}`);
    option.setAttribute("value", process);
    select.append(option);
  }
}

// ── Sending ───────────────────────────────────────────────────────────────────────────────────────────────────────

function setUpForm(): void {
  const form = element("say");
  const text = element("message");
  const address = element("address");
  if (!(form instanceof HTMLFormElement && text instanceof HTMLTextAreaElement)) return;
  if (!(address instanceof HTMLSelectElement)) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send(text, address.value);
  });
  // Enter sends, as in any chat; Shift-Enter breaks the line. Not while an input method composes a character.
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
}

async function send(text: HTMLTextAreaElement, address: string): Promise<void> {
  const message = text.value;
  const problem = element("problem");
  problem.textContent = "";
  text.removeAttribute("aria-invalid");
  try {
    const response = await fetch("/send_message", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ message, address }),
    });
    if (!response.ok) {
      const { error } = (await response.json()) as { error: string }; // ours, see page-server.ts
      problem.textContent = error;
      text.setAttribute("aria-invalid", "true");
    } else if (text.value === message) {
      text.value = "";
    }
  } catch {
    problem.textContent = "The process does not answer; the message was not sent.";
  }
  text.focus();
}

// ── Theme ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function setUpTheme(): void {
  const root = document.documentElement;
  const button = element("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const saved = localStorage.getItem("theme");
  if (saved === "light" || saved === "dark") root.dataset["theme"] = saved;
  button.addEventListener("click", () => {
    const now = root.dataset["theme"] ?? (dark.matches ? "dark" : "light");
    const next = now === "dark" ? "light" : "dark";
    root.dataset["theme"] = next;
    localStorage.setItem("theme", next);
  });
}

// ── Pieces ────────────────────────────────────────────────────────────────────────────────────────────────────────

function head(who: string, number: number, at: number): HTMLElement {
  const time = make("time", "", new Date(at).toLocaleTimeString([], { hour12: false }));
  time.setAttribute("datetime", new Date(at).toISOString());
  return group("head", [make("span", "who", who), make("span", "number", `message ${number}`), time]);
}

function group(name: string, parts: readonly HTMLElement[]): HTMLElement {
  const made = make("div", name);
  made.append(...parts);
  return made;
}

function make(tag: string, name = "", text?: string): HTMLElement {
  const made = document.createElement(tag);
  if (name !== "") made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

function stampText(stamp: readonly number[]): string {
  return `[${stamp.join(", ")}]`;
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

function hueOf(process: string, now: ProcessView): number {
  return (
    Math.max(
      0,
      now.vector.findIndex((entry) => entry.process === process),
    ) % HUES
  );
}

function setText(id: string, text: string): void {
  const target = element(id);
  // Setting the same text again would make a screen reader say it again.
  if (target.textContent !== text) target.textContent = text;
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element "${id}"`);
  return found;
}

start();
