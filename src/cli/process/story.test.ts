import { expect, test } from "vitest";
import { Story } from "./story.js";

/** The story of P0 among three, and the lines that it told. */
function storyOfP0() {
  const lines: string[] = [];
  const story = new Story({
    pid: "0",
    self: "P0",
    processes: ["P0", "P1", "P2"],
    transport: "udp",
    peers: [],
    settings: [],
    onLine: (text) => void lines.push(text),
    onChange: () => {},
  });
  return { story, lines };
}

test("every send, wait and delivery shows the vector here, and a wait the stamp that it is for", () => {
  const { story, lines } = storyOfP0();
  story.delivered("P0", 1, { text: "hello" });
  story.left("P1", { stamp: [1, 0, 0], payload: { text: "hello" } });
  story.arrived({ stamp: [0, 2, 0], payload: { text: "second" } });
  story.explained("causal.wait", { from: "P1", sequence: 2 });
  story.arrived({ stamp: [0, 1, 0], payload: { to: "P2" } });
  story.delivered("P1", 1, { to: "P2" });
  story.delivered("P1", 2, { text: "second" });
  expect(lines.map((line) => line.replace(/ \(waited .*\)$/, ""))).toEqual([
    "[1, 0, 0]  message 1 to all: hello",
    "[1, 0, 0]  message 1 leaves for P1; its stamp is [1, 0, 0]",
    "[1, 0, 0]  message 2 of P1 waits for message 1 of P1; its stamp is [0, 2, 0]",
    "[1, 1, 0]  message 1 of P1 is for P2",
    "[1, 2, 0]  message 2 of P1: second",
  ]);
});

test("lines about anything else show no vector", () => {
  const { story, lines } = storyOfP0();
  story.line("P1 is here");
  expect(lines).toEqual(["P1 is here"]);
});
