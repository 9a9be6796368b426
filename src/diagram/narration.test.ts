import { expect, test } from "vitest";
import { describeMessage, showValue } from "./describe.js";
import { eventText, explainText, fillTemplate } from "./narration.js";

test("terms fill the holes; tuples, lists and names read as such", () => {
  const terms = {
    peer: "P3",
    own: [4, "P2"],
    names: ["P1", "P3"],
    ranges: [
      [1, 2],
      [5, 5],
    ],
    nobody: null,
  };
  expect(fillTemplate("defers {peer}: its own request {own} is earlier", terms)).toBe(
    "defers P3: its own request (4, P2) is earlier",
  );
  expect(fillTemplate("{names} and {ranges} and {nobody}", terms)).toBe("P1, P3 and (1, 2), (5, 5) and none");
});

test("a term that is missing stays visible, inherited ones are missing, and values are never templates", () => {
  expect(fillTemplate("{own} {toString} {__proto__}", {})).toBe("{own} {toString} {__proto__}");
  expect(fillTemplate("{a} {b}", { a: "{b}", b: "$&" })).toBe("{b} $&");
});

test("a rule without a template shows itself", () => {
  expect(explainText({}, "ra.defer", { own: [4, "P2"] })).toBe("ra.defer: own (4, P2)");
  expect(explainText({}, "constructor", {})).toBe("constructor: ");
});

test("sentences and values are bounded", () => {
  const deep = Array.from({ length: 50 }).reduce<unknown>((inner) => [inner, inner], "x");
  expect(showValue(deep).length).toBeLessThanOrEqual(200);
  expect(explainText({}, "r", { long: "x".repeat(10_000), deep }).length).toBeLessThanOrEqual(300);
});

test("outputs read as what the process does, or as the caller says", () => {
  const output = (value: unknown) => ({ kind: "output", process: "P1", number: 1, at: 0, value }) as const;
  expect(eventText(output({ kind: "entered" }))).toBe("enters the critical section");
  expect(eventText(output({ kind: "leader", is: "P3" }))).toBe("reports leader “P3”");
  expect(eventText(output("x"), { describeOutput: () => "is done" })).toBe("is done");
});

test.each([
  [{ kind: "request", timestamp: 4 }, "request 4", false],
  [{ kind: "reply", of: [4, "P2"] }, "reply (4, P2)", false],
  [{ kind: "data", seq: 9, body: { kind: "request", timestamp: 4 } }, "request 4", false],
  [{ kind: "data", seq: 9, body: { kind: "data", seq: 1, body: "hello" } }, "“hello”", false],
  [{ kind: "broadcast", stamp: [1, 0], payload: "hello" }, "“hello”", false],
  [
    { kind: "broadcast", stamp: [1], payload: { id: "P3-4", text: "No.", answers: "P2-1" } },
    "P3-4 “No.” (answers P2-1)",
    false,
  ],
  [{ kind: "chat", text: "hi", urgent: true }, "chat “hi” (urgent)", false],
  [{ kind: "put", payload: { key: "x", value: 3 } }, "put x 3", false],
  [{ kind: "broadcast", payload: { kind: "vote", for: "P2" } }, "vote P2", false],
  [{ kind: "ack", ack: 3 }, "ack 3", true],
  [{ kind: "heartbeat", highest: 3 }, "heartbeat 3", true],
  [{}, "message", false],
  [null, "none", false],
  [7, "7", false],
])("%j is called %s", (message, label, chatter) => {
  expect(describeMessage(message)).toMatchObject({ label, chatter });
});

test("a message whose carried value has an id is known by it for short", () => {
  expect(describeMessage({ kind: "broadcast", payload: { id: "P3-4", text: "No." } }).short).toBe("P3-4");
  expect(describeMessage({ kind: "data", seq: 1, body: { kind: "job", id: 7 } }).short).toBe("7");
  expect(describeMessage({ kind: "request", timestamp: 4 }).short).toBeUndefined();
});

test("a command that carries a note is told with its text", () => {
  const command = { kind: "broadcast", payload: { id: "P3-4", text: "No.", answers: "P2-1" } };
  expect(eventText({ kind: "command", process: "P3", number: 1, at: 0, command })).toBe(
    "is told to broadcast P3-4 “No.” (answers P2-1)",
  );
});

test("a message for one alone is told as such: by who says it, on its way, and by whoever gets its place only", () => {
  const at = { number: 1, at: 0 };
  const only = { to: "P2", others: { to: "P2" } };
  const command = { kind: "broadcast", payload: { text: "secret", to: "P2" }, only };
  expect(eventText({ kind: "command", process: "P1", ...at, command })).toBe("says “secret” to P2 alone");
  expect(describeMessage({ kind: "broadcast", stamp: [0, 1, 0], payload: { to: "P2" } }).label).toBe(
    "blank (to P2)",
  );
  const deliver = { kind: "deliver", layer: "causal-broadcast", from: "P1", sequence: 1 } as const;
  expect(eventText({ ...deliver, process: "P0", ...at, message: { to: "P2" } })).toBe(
    "learns that message 1 of P1 is for P2",
  );
  expect(eventText({ ...deliver, process: "P2", ...at, message: { text: "secret", to: "P2" } })).toBe(
    "delivers “secret” (to P2) from P1",
  );
});

test("the same envelope sent again has the same identity, whatever it acknowledges meanwhile", () => {
  const id = (envelope: unknown) => describeMessage(envelope).id;
  expect(id({ kind: "data", seq: 1, ack: 0, body: "x" })).toBe(
    id({ kind: "data", seq: 1, ack: 5, body: "x" }),
  );
  expect(id({ kind: "data", seq: 1, body: "x" })).not.toBe(id({ kind: "data", seq: 2, body: "x" }));
  expect(id({ kind: "data", epoch: 0, seq: 1, body: "x" })).not.toBe(
    id({ kind: "data", epoch: 1, seq: 1, body: "x" }),
  );
  expect(id({ kind: "request" })).toBeUndefined();
});
