import { expect, test } from "vitest";
import { legend } from "./legend.js";
import { textDiagram } from "./text.js";
import { NARRATION, reply, request, TraceBuilder, twoWantIn } from "./trace-builder.test-helper.js";

const narration = NARRATION;

test("a run of mutual exclusion reads as a story: who asked, who waited and why, who entered", () => {
  const trace = twoWantIn();
  expect(`\n${textDiagram(trace, { narration })}\n\n${legend(trace, { narration })}\n`)
    .toMatchInlineSnapshot(`
      "
                P1           P2           P3
       1.0 ms   ◆─request 1─▷┼───────────▶│  P1 asks everyone to let it in, with
                ┆            │            │    request (1, P1)
       1.5 ms   ┆◀───────────◆─request 1─▷│  P2 asks everyone to let it in, with
                ┆            ┆            │    request (1, P2)
       3.0 ms   ┆            ┆            ○  P3 lets P1 in: it does not want to
                ┆            ┆            │    enter itself
       4.0 ms   ‖            ┆            │  P1 keeps P2 waiting: its own request
                ┆            ┆            │    (1, P1) comes before (1, P2)
       5.0 ms   ┆╌request 1╌▶┆            │
       6.0 ms   ┆◀───────────┼───reply 1──●
       7.0 ms   ┳◀──reply 1──●            │  P1 has everyone's reply and enters
       8.0 ms   ┃            ┆╌request 1╌▶│  P3 lets P2 in: it does not want to
                ┃            ┆            │    enter itself
      10.0 ms   ┃            ┆◀──reply 1──●
      12.0 ms   ┻            ┆            │  P1 leaves and answers those it kept
                │            ┆            │    waiting: P2
      13.0 ms   ●──reply 1──▶┳            │  P2 has everyone's reply and enters
      16.0 ms   │            ┻            │  P2 leaves the critical section
                │            │            │  The run ends: nothing is left to do.

      ◆ told to act   ○ a step, told beside it   ●──▶ message
      ╌╌▶ message sent earlier   ▷ still on its way   ┼ passes by
      ‖ makes somebody wait   ┆ waiting   ┳ enters   ┃ in the critical section
      ┻ leaves
      "
    `);
});

test("faults are told: a message lost, one held back, a partition, a crash until the restart", () => {
  const run = new TraceBuilder(["P1", "P2", "P3"]);
  const lost = run.at(1).send("P1", "P2", request(1));
  run.drop(lost, "loss");
  run.at(2).fault("partition P1 P2 | P3", "begin");
  run.at(3).timer("P1", "again");
  const cutOff = [run.send("P1", "P2", request(2)), run.send("P1", "P3", request(2))] as const;
  run.drop(cutOff[1], "partition");
  run.at(4).receive(cutOff[0]);
  run.at(5).fault("partition P1 P2 | P3", "end");
  run.at(6).event("P2", { kind: "crash" });
  const toDead = run.at(7).send("P3", "P2", reply(2));
  run.at(8).drop(toDead, "crashed");
  run.at(9).event("P2", { kind: "restart", incarnation: 1 });
  const slow = run.at(10).send("P2", "P1", reply(3));
  run.event("net", { kind: "hold", from: "P2", send: slow.send, to: "P1", by: 8000, reason: "reorder" });
  const fast = run.at(11).timer("P2", "next").send("P2", "P1", reply(4));
  run.at(12).receive(fast);
  run.at(19).receive(slow);
  run.at(20).event("net", { kind: "pause", target: "P3" });
  run.at(25).event("net", { kind: "resume", target: "P3" });
  run.at(30).timer("P1", "next").send("P1", "P3", request(9));
  expect(`\n${textDiagram(run.trace("time-limit"))}\n`).toMatchInlineSnapshot(`
    "
              P1           P2           P3
     1.0 ms   ●─request 1✕ │            │  request 1 to P2 lost on the way
     2.0 ms   ╪════════════╪════════════╪═ partition P1 P2 | P3 begins
     3.0 ms   ●─request 2─▶┼──────────✕ │  request 2 to P3 lost: the network is
              │            │            │    split
     5.0 ms   ╪════════════╪════════════╪═ partition P1 P2 | P3 ends
     6.0 ms   │            ✕            │  P2 crashes: it forgets everything it
              │                         │    has not saved
     7.0 ms   │              ✕─reply 2──●  reply 2 to P2 lost: P2 is down
     9.0 ms   │            ↻            │  P2 restarts with nothing saved
    12.0 ms   │◀──reply 4──●            │
    19.0 ms   │◀╌╌reply 3╌╌│            │  reply 3 was overtaken on the way, held
              │            │            │    back 8 ms
    20.0 ms   │            │            ░  P3 is paused
    25.0 ms   │            │            │  P3 continues
    30.0 ms   ●─request 9──┼───────────▷│
              │            │            │  The run ends: the time is up.
    "
  `);
});

test("ids: every row names its event, in a column of its own", () => {
  const plain = textDiagram(twoWantIn(), { narration }).split("\n");
  const lines = textDiagram(twoWantIn(), { narration, ids: true }).split("\n");
  expect(lines.find((line) => line.includes("P1 asks"))).toMatch(/ ms P1:\d+ +[◆●]/);
  const known = new Set(twoWantIn().events.map(({ process, number }) => `${process}:${number}`));
  const named = lines.flatMap((line) => /^.{6,12} (P\d:\d+) /.exec(line)?.[1] ?? []);
  expect(named.length).toBeGreaterThan(5);
  for (const id of named) expect(known).toContain(id);
  expect(plain.join()).not.toMatch(/P1:\d/);
});

test("a range tells what happens in it, with lanes as they are by then, and says what lies before and after", () => {
  const run = new TraceBuilder(["P1", "P2"]);
  run.at(1).command("P1", { kind: "acquire" }).output("P1", { kind: "requested" });
  run.at(2).timer("P1", "t").output("P1", { kind: "entered" });
  for (let i = 10; i < 30; i++) run.receive(run.at(i).timer("P2", "t").send("P2", "P1", request(i)));
  run.at(40).timer("P1", "t").output("P1", { kind: "exited" });
  expect(`\n${textDiagram(run.trace(), { range: { from: 15_000, to: 16_000 } })}\n`).toMatchInlineSnapshot(`
    "
              P1            P2
     1.0 ms   ⋮             ⋮  1 entry, 5 messages, 14 ms
    15.0 ms   ┃◀─request 15─●
    16.0 ms   ┃◀─request 16─●
    17.0 ms   ⋮             ⋮  13 messages, 23 ms
    "
  `);
});

test("the legend names every glyph that is used, and says why a row may lack its time", () => {
  const run = new TraceBuilder(["P1", "P2", "P3"]);
  run.at(1).command("P2", { kind: "acquire" }).output("P2", { kind: "entered" });
  const across = run.at(2).timer("P1", "t").send("P1", "P3", request(1));
  run.at(3).receive(across);
  const crossed = run.at(4).timer("P3", "t").send("P3", "P1", request(2));
  run.at(5).timer("P1", "t").explain("P1", "acts");
  run.at(6).receive(crossed).explain("P1", "acts");
  run.at(7).timer("P2", "t").output("P2", { kind: "exited" });
  const signs = legend(run.trace(), { narration: { acts: "acts" } });
  for (const sign of ["┳ enters", "┻ leaves", "┃ in the critical", "╂ passes one inside", "○ a step"]) {
    expect(signs).toContain(sign);
  }
  expect(signs).not.toContain("without a time");
  expect(legend(run.trace(), { ascii: true })).toMatch(/# enters, or in the critical section/);
  const slow = new TraceBuilder(["P1", "P2", "P3"]);
  const late = slow.at(1).timer("P1", "t").send("P1", "P2", request(1));
  slow.at(9).receive(late).timer("P2", "t");
  slow.event("P3", { kind: "command", command: { kind: "go" } });
  const back = slow.trace();
  const events = back.events.map((event) => (event.process === "P3" ? { ...event, at: 2_000 } : event));
  expect(legend({ ...back, events })).toContain("a row without a time may be a little earlier");
});

test("what carries a note is told as one: by its text in sentences, by its id where there is little room", () => {
  const run = new TraceBuilder(["P1", "P2", "P3"]);
  const payload = { id: "P1-1", text: "Only after the review.", answers: "P3-4" };
  run.at(1).command("P1", { kind: "broadcast", payload });
  const sent = run.send("P1", "P3", { kind: "broadcast", stamp: [1, 0, 0], payload });
  run.at(4).receive(sent);
  run.event("P3", { kind: "deliver", layer: "some-broadcast", from: "P1", sequence: 1, message: payload });
  expect(`\n${textDiagram(run.trace())}\n`).toMatchInlineSnapshot(`
    "
               P1      P2      P3
    1.000 ms   ◆       │       │  P1 is told to broadcast P1-1 “Only after the
               │       │       │    review.” (answers P3-4)
    4.000 ms   ●─P1-1──┼──────▶│  P3 delivers P1-1 “Only after the review.”
               │       │       │    (answers P3-4) from P1
               │       │       │  The run ends: nothing is left to do.
    "
  `);
});

test("chatter is counted, not drawn, and a repeated message is one message", () => {
  const run = new TraceBuilder(["P1", "P2"]);
  const data = { kind: "data", seq: 1, body: request(1) };
  const first = run.at(1).send("P1", "P2", data);
  run.drop(first, "loss");
  const second = run
    .at(200)
    .timer("P1", "retry")
    .send("P1", "P2", { ...data, ack: 3 });
  run.drop(second, "loss");
  const third = run.at(400).timer("P1", "retry").send("P1", "P2", data);
  run.at(402).receive(third);
  const ack = run.send("P2", "P1", { kind: "ack", ack: 1 });
  run.at(404).receive(ack);
  expect(`\n${textDiagram(run.trace())}\n`).toMatchInlineSnapshot(`
    "
               P1                 P2
      1.0 ms   ●────request 1───✕ │  request 1 to P2 lost on the way
    402.0 ms   ●─request 1 again─▶│
    404.0 ms   │                  │  The run ends: nothing is left to do.
    Not drawn: 1 retransmission, 1 acknowledgement.
    "
  `);
});

test("a message that crossed another is drawn where it arrives, so that no lane shows a false order", () => {
  const run = new TraceBuilder(["P1", "P2"]);
  const right = run.at(1).send("P1", "P2", request(1));
  const left = run.at(1).send("P2", "P1", request(2));
  run.at(5).receive(right).explain("P2", "sees");
  run.at(6).receive(left).explain("P1", "sees");
  const lines = textDiagram(run.trace(), { narration: { sees: "sees it" } }).split("\n");
  expect(lines.filter((line) => line.includes("╌")).length).toBeGreaterThan(0);
});

test("violations are starred, and shown however long the run is", () => {
  const run = new TraceBuilder(["P1", "P2"]);
  for (let round = 0; round < 500; round++) {
    const sent = run
      .at(round * 10)
      .timer("P1", "next")
      .send("P1", "P2", request(round));
    run.at(round * 10 + 1).receive(sent);
    if (round === 250) run.output("P2", { kind: "entered" });
  }
  const trace = run.trace();
  const entered = trace.events.find((event) => event.kind === "output");
  const highlight = [`P2:${entered?.number}`];
  const lines = textDiagram(trace, { highlight, rowsMax: 20 }).split("\n");
  expect(lines.length).toBeLessThan(30);
  expect(lines.filter((line) => line.includes("★")).join()).toContain("enters");
  expect(lines.filter((line) => line.includes("⋮")).length).toBe(2);
});

test("a burst of messages from one step does not outgrow the diagram", () => {
  const run = new TraceBuilder(["P1", "P2"]);
  const burst = Array.from({ length: 500 }, (_, i) => run.at(1).send("P1", "P2", request(i)));
  expect(textDiagram(run.trace(), { rowsMax: 20 })).toContain("P1 sends 494 more messages");
  burst.forEach((sent, i) => run.at(2 + i).receive(sent));
  expect(textDiagram(run.trace(), { rowsMax: 20 }).split("\n").length).toBeLessThan(40);
});

test("evidence is shown even when it is of a kind that is usually left out", () => {
  const run = new TraceBuilder(["P1", "P2"]);
  const ack = run.at(1).send("P1", "P2", { kind: "ack" });
  run.at(2).receive(ack);
  run.at(3).timer("P2", "retry");
  expect(textDiagram(run.trace())).not.toContain("retry");
  const shown = textDiagram(run.trace(), { highlight: ["P2:1", "P2:2"] });
  expect(shown).toContain("timer retry fires");
  expect(shown).toContain("ack");
});

test.each([1, 20, 40, 80, 200])("%i columns: no line is wider, none below 40", (columns) => {
  for (const processes of [1, 2, 3, 6, 7, 12, 40]) {
    const names = Array.from({ length: processes }, (_, i) => `P${i + 1}`);
    const run = new TraceBuilder(names);
    names.forEach((from, i) => {
      const to = names[(i + 1) % processes] ?? from;
      if (to === from) return;
      const sent = run.at(i).send(from, to, request(i));
      run
        .at(i + 100)
        .receive(sent)
        .explain(to, "ra.defer", { peer: from, own: [1, to], theirs: [2, from] });
    });
    run.output("P1", { kind: "entered" });
    for (const ascii of [false, true]) {
      const lines = textDiagram(run.trace(), { columns, narration, ascii }).split("\n");
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(Math.max(40, columns));
    }
  }
});

test("with too many processes the lanes are those the story is about, and the rest share one", () => {
  const names = Array.from({ length: 60 }, (_, i) => `P${i + 1}`);
  const run = new TraceBuilder(names);
  const sent = run.at(1).send("P17", "P42", request(1));
  run.at(2).receive(sent);
  const header = textDiagram(run.trace(), { columns: 80 }).split("\n")[0] ?? "";
  expect(header).toContain("P17");
  expect(header).toContain("P42");
  expect(header).toMatch(/\+\d+$/);
});

test("ascii: nothing but printable ASCII, whatever the trace says", () => {
  const trace = twoWantIn();
  const run = new TraceBuilder(["P1", "P2"]);
  const sent = run.at(1).send("P1", "P2", { kind: "broadcast", payload: "naïve 日本 😀" });
  run.at(2).receive(sent);
  for (const one of [trace, run.trace()]) {
    const shown = textDiagram(one, { ascii: true, narration }) + legend(one, { ascii: true, narration });
    expect(shown).toMatch(/^[\n -~]*$/);
  }
});

test("style sees every stretch with its kind and its lane, and changes no width", () => {
  const kinds = new Set<string>();
  const plain = textDiagram(twoWantIn(), { narration });
  const styled = textDiagram(twoWantIn(), {
    narration,
    style(text, kind, lane) {
      kinds.add(kind);
      expect(lane === undefined || (lane >= 0 && lane < 3)).toBe(true);
      return text;
    },
  });
  expect(styled).toBe(plain);
  expect([...kinds]).toEqual(
    expect.arrayContaining(["time", "name", "lane", "arrow", "label", "note", "inside"]),
  );
});

test("an empty trace and a lone process make a diagram too", () => {
  expect(textDiagram(new TraceBuilder(["P1"]).trace())).toContain("The run ends");
  expect(textDiagram(new TraceBuilder([]).trace())).toContain("The run ends");
});

test("a receive whose send is not in the trace is told in words", () => {
  const run = new TraceBuilder(["P1", "P2"]);
  run.at(1).receive({ from: "P1", send: 7, to: "P2" });
  expect(textDiagram(run.trace())).toContain("P2 receives a message from P1");
});
