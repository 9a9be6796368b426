import { expect, test } from "vitest";
import { stillness, type Report } from "./quiescence.js";

function report(process: string, change: Partial<Report["status"]> = {}, more: Partial<Report> = {}): Report {
  const peer = process === "P1" ? "P2" : "P1";
  const links = [
    { peer: process, connection: "loopback", sent: 1, received: 1 },
    { peer, connection: "c", sent: 3, received: 3 },
  ];
  const status = { timers: 0, held: 0, commands: 1, number: 9, bytes: 900, links, ...change };
  return { process, status, commandsGiven: 1, read: 9, ...more };
}

test("all sent is received, nothing is held and no timer lives: still", () => {
  expect(stillness([report("P1"), report("P2")])).toBeDefined();
});

test.each([
  ["a live timer", report("P1", { timers: 1 })],
  ["a held message", report("P1", { held: 1 })],
  ["a command on its way", report("P1", {}, { commandsGiven: 2 })],
  ["events that have not been read", report("P1", { number: 10 })],
  [
    "a message under way",
    report("P1", {
      links: [
        { peer: "P1", connection: "loopback", sent: 1, received: 1 },
        { peer: "P2", connection: "c", sent: 4, received: 3 },
      ],
    }),
  ],
  [
    "a message to oneself under way",
    report("P1", {
      links: [
        { peer: "P1", connection: "loopback", sent: 2, received: 1 },
        { peer: "P2", connection: "c", sent: 3, received: 3 },
      ],
    }),
  ],
  [
    "counters of different connections",
    report("P1", {
      links: [
        { peer: "P1", connection: "loopback", sent: 1, received: 1 },
        { peer: "P2", connection: "d", sent: 3, received: 3 },
      ],
    }),
  ],
  ["a missing link", report("P1", { links: [{ peer: "P1", connection: "loopback", sent: 1, received: 1 }] })],
])("not still: %s", (_what, first) => {
  expect(stillness([first, report("P2")])).toBeUndefined();
});

test("rounds between which something happened differ", () => {
  const later = (process: string): Report => report(process, { number: 11 }, { read: 11 });
  expect(stillness([report("P1"), report("P2")])).not.toBe(stillness([later("P1"), later("P2")]));
});

test("where messages may be lost on the way, what was sent and never came does not hide the silence", () => {
  const sender = report("P1", {
    links: [
      { peer: "P1", connection: "loopback", sent: 1, received: 1 },
      { peer: "P2", connection: "c", sent: 4, received: 3 },
    ],
  });
  expect(stillness([sender, report("P2")])).toBeUndefined();
  const still = stillness([sender, report("P2")], false);
  expect(still).toBeDefined();
  expect(stillness([report("P1"), report("P2")], false)).not.toBe(still);
  expect(stillness([report("P1", { timers: 1 }), report("P2")], false)).toBeUndefined();
});
