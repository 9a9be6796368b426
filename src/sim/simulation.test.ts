import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MILLISECOND, SECOND, UsageError } from "../core/index.js";
import { parseFaults } from "../faults/index.js";
import { traceHash, type Trace } from "../trace/index.js";
import { ofKind, play, puppet, seenBy, settingsOf, type Move, type Script } from "./puppet.test-helper.js";
import { Simulation } from "./simulation.js";

const ms = MILLISECOND;
const faults = (text: string) => ({ faults: parseFaults(text, ["P1", "P2"]) });
const send = (text: string): Move => ({ send: "P2", text });

describe("a run", () => {
  test("starts every process in order at 0, before anything else", () => {
    const trace = play([[0, "P1", send("a")]]);
    expect(trace.events.slice(0, 3)).toEqual([
      { process: "P1", number: 1, at: 0, local: 0, kind: "start", incarnation: 0 },
      { process: "P2", number: 1, at: 0, local: 0, kind: "start", incarnation: 0 },
      { process: "P1", number: 2, at: 0, local: 0, kind: "command", command: send("a") },
    ]);
  });

  test("records a step as its input, then its effects in the order made, and names the send in the receive", () => {
    expect(play([[5 * ms, "P1", send("a")]]).events.slice(3)).toMatchInlineSnapshot(`
      [
        {
          "at": 5000,
          "kind": "send",
          "local": 5000,
          "message": "a",
          "number": 3,
          "process": "P1",
          "to": "P2",
        },
        {
          "at": 6000,
          "from": "P1",
          "kind": "receive",
          "local": 6000,
          "number": 2,
          "process": "P2",
          "send": 3,
        },
        {
          "at": 6000,
          "kind": "output",
          "local": 6000,
          "number": 3,
          "process": "P2",
          "value": "P1 a",
        },
      ]
    `);
  });

  test("delivers what a process sends to itself", () => {
    expect(seenBy("P1", play([[0, "P1", { send: "P1", text: "me" }]]))).toEqual(["1000 P1 me"]);
  });

  test("tells the user of outputs and deliveries, and gives its commands their time", () => {
    const trace = play([], {
      user: {
        start: () => ({ state: 3, commands: [{ after: 10, command: { boast: "up" } }] }),
        onOutput: (left: number) => ({
          state: left - 1,
          commands: left === 0 ? [] : [{ after: 5, command: { boast: `${left} left` } }],
        }),
      },
    });
    expect(seenBy("P1", trace)).toEqual(["10 up", "15 3 left", "20 2 left", "25 1 left"]);
  });

  test("without a recorder goes the same way", () => {
    const script: Script = [
      [0, "P1", send("a")],
      [1, "P2", { choose: 5 }],
    ];
    const silent = new Simulation(settingsOf(script, faults("loss 50%, duplicate 50%")));
    const loud = new Simulation(settingsOf(script, faults("loss 50%, duplicate 50%")), () => {});
    expect(silent.run()).toBe(loud.run());
    expect([silent.now, silent.steps, silent.stateOf("P2")]).toEqual([
      loud.now,
      loud.steps,
      loud.stateOf("P2"),
    ]);
  });
});

describe("a run ends", () => {
  test("quiescent when nothing is left to happen, and stays so", () => {
    const simulation = new Simulation(settingsOf([[7 * ms, "P1", send("a")]]));
    expect(simulation.run()).toBe("quiescent");
    expect(simulation.advance()).toBe("quiescent");
    expect([simulation.now, simulation.steps]).toEqual([8 * ms, 4]);
  });

  test("at its time limit while something is left; what is due at the limit itself still happens", () => {
    const script: Script = [
      [5, "P1", { boast: "in time" }],
      [6, "P1", { boast: "too late" }],
    ];
    const trace = play(script, { duration: 5 });
    expect([trace.end.stopped, seenBy("P1", trace)]).toEqual(["time-limit", ["5 in time"]]);
  });

  test("at its limit on steps", () => {
    const forever: Script = [
      [0, "P1", { boast: "a" }],
      [1, "P1", { boast: "b" }],
      [2, "P1", { boast: "c" }],
    ];
    expect(play(forever, { stepsMax: 4 }).end.stopped).toBe("event-limit");
    expect(play(forever, { stepsMax: 5 }).end.stopped).toBe("quiescent");
  });

  test("quiescent when beyond the limit there are only cancelled timers, void commands and marks of faults", () => {
    const script: Script = [
      [0, "P1", { timer: "t", after: 10 * SECOND }],
      [1, "P1", { cancel: "t" }],
      [9 * SECOND, "P2", { boast: "dead by then" }],
    ];
    const settings = {
      duration: SECOND,
      ...faults("crash P2 at 2ms, partition P1 | P2 at 5ms..20s, clock P1 +1s at 30s"),
    };
    expect(play(script, settings).end.stopped).toBe("quiescent");
    expect(
      play(script, { duration: SECOND, ...faults("restart P2 at 20s, crash P2 at 2ms") }).end.stopped,
    ).toBe("time-limit");
  });
});

describe("timers", () => {
  test("fire once, after their time", () => {
    expect(seenBy("P1", play([[10, "P1", { timer: "t", after: 30 }]]))).toEqual(["40 !t"]);
  });

  test("that are set again replace the earlier one", () => {
    const script: Script = [
      [0, "P1", { timer: "t", after: 50 }],
      [10, "P1", { timer: "t", after: 100 }],
      [20, "P1", { timer: "other", after: 10 }],
    ];
    expect(seenBy("P1", play(script))).toEqual(["30 !other", "110 !t"]);
  });

  test("that are cancelled do not fire, and do not move the clock", () => {
    const script: Script = [
      [0, "P1", { timer: "t", after: SECOND }],
      [10, "P1", { cancel: "t" }],
      [20, "P1", { cancel: "never set" }],
    ];
    const simulation = new Simulation(settingsOf(script));
    expect(simulation.run()).toBe("quiescent");
    expect(simulation.now).toBe(20);
  });
});

describe("the network", () => {
  test("takes a latency within its bounds, seeded per link", () => {
    const script: Script = Array.from({ length: 200 }, (_, i) => [i * 10 * ms, "P1", send("x")]);
    const latency = { min: 200, max: 220 };
    const trace = play(script, { latency });
    const sends = ofKind(trace, "send").map(({ at }) => at);
    const took = ofKind(trace, "receive").map(({ at }, i) => at - (sends[i] ?? 0));
    expect(Math.min(...took)).toBe(200);
    expect(Math.max(...took)).toBe(220);
    const busy: Script = [...script, ...script.map(([at]) => [at, "P2", { send: "P1", text: "y" }] as const)];
    const received = (of: ReturnType<typeof play>) =>
      ofKind(of, "receive")
        .filter(({ process }) => process === "P2")
        .map(({ at }) => at);
    expect(received(play(busy, { latency }))).toEqual(received(trace));
  });

  test("keeps the order of each link, whatever the latency and the delay fault", () => {
    const script: Script = Array.from({ length: 60 }, (_, i) => [i * 100, "P1", send(`${i}`)]);
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const trace = play(script, { seed, latency: { min: 0, max: 20 * ms }, ...faults("delay 0..50ms") });
        const numbers = ofKind(trace, "receive").map((event) => (event.kind === "receive" ? event.send : 0));
        expect(numbers).toHaveLength(60);
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      }),
      { numRuns: 20 },
    );
  });

  test("lets later messages overtake those held for reordering, and only those", () => {
    const script: Script = Array.from({ length: 300 }, (_, i) => [i * ms, "P1", send(`${i}`)]);
    const trace = play(script, faults("reorder 20%"));
    const held = new Set(ofKind(trace, "hold").map((event) => (event.kind === "hold" ? event.send : 0)));
    expect(held.size).toBeGreaterThan(20);
    const numbers = ofKind(trace, "receive").map((event) => (event.kind === "receive" ? event.send : 0));
    expect(numbers).not.toEqual(numbers.toSorted((a, b) => a - b));
    const inLine = numbers.filter((number) => !held.has(number));
    expect(inLine).toEqual(inLine.toSorted((a, b) => a - b));
  });

  test("tells on the sender's lane what befell a message, and delivers a duplicate twice", () => {
    const script: Script = [[0, "P1", send("a")]];
    const lost = play(script, faults("loss 100%"));
    expect(lost.events.at(-1)).toMatchObject({
      process: "P1",
      number: 4,
      kind: "drop",
      from: "P1",
      send: 3,
      to: "P2",
      reason: "loss",
    });
    expect(lost.end.stopped).toBe("quiescent");
    const twice = play(script, faults("duplicate 100%"));
    expect(ofKind(twice, "duplicate")).toMatchObject([
      { process: "P1", number: 4, from: "P1", send: 3, to: "P2", copies: 2 },
    ]);
    expect(ofKind(twice, "receive")).toHaveLength(2);
  });

  test("lets what is under way arrive when a partition begins, and cuts what is sent meanwhile", () => {
    const script: Script = [0, 1, 2, 3].map((i) => [i * ms, "P1", send(`${i}`)]);
    const trace = play(script, faults("partition P1 | P2 at 1ms..3ms"));
    expect(seenBy("P2", trace)).toEqual(["1000 P1 0", "4000 P1 3"]);
    expect(ofKind(trace, "fault")).toMatchObject([
      { process: "net", number: 1, at: ms, fault: "partition P1 | P2", phase: "begin" },
      { process: "net", number: 2, at: 3 * ms, fault: "partition P1 | P2", phase: "end" },
    ]);
  });

  test("drops at the receiver, on net, what a process fails to receive", () => {
    const trace = play(
      [
        [0, "P1", send("a")],
        [5 * ms, "P1", send("b")],
      ],
      faults("fail-receive P2 at 0s..3ms"),
    );
    expect(ofKind(trace, "drop")).toMatchObject([
      { process: "net", at: ms, from: "P1", send: 3, to: "P2", reason: "failed-receive" },
    ]);
    expect(seenBy("P2", trace)).toEqual(["6000 P1 b"]);
  });
});

describe("a crash", () => {
  test("drops state and timers, and what is under way to the process is dropped on net", () => {
    const script: Script = [
      [0, "P1", send("before")],
      [2 * ms, "P2", { timer: "t", after: 10 * ms }],
      [2_500, "P1", send("under way")],
      [2_600, "P2", { boast: "said" }],
      [4 * ms, "P2", { boast: "never said" }],
    ];
    const trace = play(script, faults("crash P2 at 3ms"));
    expect(seenBy("P2", trace)).toEqual(["1000 P1 before", "2600 said"]);
    expect(ofKind(trace, "crash")).toEqual([{ process: "P2", number: 7, at: 3 * ms, kind: "crash" }]);
    expect(ofKind(trace, "drop")).toEqual([
      {
        process: "net",
        number: 1,
        at: 3_500,
        kind: "drop",
        from: "P1",
        send: 5,
        to: "P2",
        reason: "crashed",
      },
    ]);
    const simulation = new Simulation(settingsOf(script, faults("crash P2 at 3ms")));
    simulation.run();
    expect(simulation.stateOf("P2")).toBeUndefined();
  });

  test("leaves what the process had sent under way", () => {
    expect(seenBy("P2", play([[0, "P1", send("last words")]], faults("crash P1 at 500us")))).toHaveLength(1);
  });

  test("at 0 s hits a process that has just started", () => {
    const trace = play([], faults("crash P2 at 0s"));
    expect(trace.events.map(({ process, kind }) => `${process} ${kind}`)).toEqual([
      "P1 start",
      "P2 start",
      "P2 crash",
    ]);
  });

  test("while paused takes with it what waited, and says so", () => {
    const trace = play([[0, "P1", send("a")]], faults("pause P2 at 0s..5ms, crash P2 at 3ms"));
    expect(ofKind(trace, "drop")).toMatchObject([{ process: "net", at: 3 * ms, send: 3, reason: "crashed" }]);
    expect(ofKind(trace, "receive")).toEqual([]);
  });
});

describe("a restart", () => {
  test("gives what was last saved, and the next incarnation", () => {
    const script: Script = [
      [0, "P2", { save: { a: 1 } }],
      [1, "P2", { save: { a: 2 } }],
      [2, "P2", { boast: "forgotten" }],
    ];
    const trace = play(
      script,
      faults("crash P2 at 3ms, restart P2 at 5ms, crash P2 at 7ms, restart P2 at 9ms"),
    );
    expect(ofKind(trace, "restart")).toMatchObject([
      { process: "P2", at: 5 * ms, incarnation: 1, saved: { a: 2 } },
      { process: "P2", at: 9 * ms, incarnation: 2, saved: { a: 2 } },
    ]);
    const simulation = new Simulation(settingsOf(script, faults("crash P2 at 3ms, restart P2 at 5ms")));
    simulation.run();
    expect(simulation.stateOf("P2")).toEqual({ seen: [], saved: { a: 2 } });
  });

  test("without anything saved gives nothing", () => {
    const [restart] = ofKind(play([], faults("crash P2 at 3ms, restart P2 at 5ms")), "restart");
    expect(restart).toEqual({
      process: "P2",
      number: 3,
      at: 5 * ms,
      local: 5 * ms,
      kind: "restart",
      incarnation: 1,
    });
  });

  test("does not give what a full disk did not keep", () => {
    const script: Script = [
      [0, "P2", { save: "old" }],
      [2 * ms, "P2", { save: "new" }],
    ];
    const trace = play(script, faults("disk-full P2 at 1ms..3ms, crash P2 at 4ms, restart P2 at 5ms"));
    expect(ofKind(trace, "save")).toHaveLength(1);
    expect(ofKind(trace, "restart")).toMatchObject([{ saved: "old" }]);
  });

  test("takes messages again, and timers of the dead incarnation do not fire", () => {
    const script: Script = [
      [0, "P2", { timer: "t", after: 10 * ms }],
      [6 * ms, "P1", send("welcome")],
    ];
    expect(seenBy("P2", play(script, faults("crash P2 at 3ms, restart P2 at 5ms")))).toEqual([
      "7000 P1 welcome",
    ]);
  });

  test("asks the user to begin again, or to start where it has no word for that", () => {
    const start = () => ({ state: 0, commands: [{ after: 1, command: { boast: "start" } }] });
    const onRestart = () => ({ state: 0, commands: [{ after: 1, command: { boast: "again" } }] });
    const crash = faults("crash P2 at 3ms, restart P2 at 5ms");
    expect(seenBy("P2", play([], { user: { start }, ...crash }))).toEqual(["1 start", "5001 start"]);
    expect(seenBy("P2", play([], { user: { start, onRestart }, ...crash }))).toEqual([
      "1 start",
      "5001 again",
    ]);
  });
});

describe("a pause", () => {
  test("postpones messages, timers and commands, and lets them happen in order at its end", () => {
    const script: Script = [
      [0, "P2", { timer: "t", after: 3_200 }],
      [2 * ms, "P1", send("a")],
      [2_100, "P2", { boast: "c" }],
      [2_500, "P1", send("b")],
    ];
    const trace = play(script, faults("pause P2 at 1ms..9ms"));
    expect(seenBy("P2", trace)).toEqual(["9000 c", "9000 P1 a", "9000 !t", "9000 P1 b"]);
    expect(ofKind(trace, "pause", "resume")).toMatchObject([
      { process: "net", number: 1, at: ms, kind: "pause", target: "P2" },
      { process: "net", number: 2, at: 9 * ms, kind: "resume", target: "P2" },
    ]);
  });

  test("keeps the order of a link across its end, also for what arrives at that very instant", () => {
    const script: Script = [
      [2 * ms, "P1", send("first")],
      [8 * ms, "P1", send("second")],
    ];
    expect(seenBy("P2", play(script, faults("pause P2 at 1ms..9ms")))).toEqual([
      "9000 P1 first",
      "9000 P1 second",
    ]);
  });

  test("does not fire a timer that something before it in line cancelled", () => {
    const script: Script = [
      [0, "P2", { timer: "t", after: 5 * ms }],
      [4 * ms, "P2", { cancel: "t" }],
    ];
    expect(seenBy("P2", play(script, faults("pause P2 at 1ms..9ms")))).toEqual([]);
  });

  test("that never ends leaves what waits undone", () => {
    const trace = play([[2 * ms, "P1", send("a")]], faults("pause P2 at 1ms"));
    expect(seenBy("P2", trace)).toEqual([]);
  });
});

describe("a wrong clock", () => {
  test("shifts local, but not at", () => {
    const script: Script = [
      [0, "P2", { boast: "a" }],
      [2 * ms, "P2", { boast: "b" }],
    ];
    const trace = play(script, faults("clock P2 +250ms at 1ms"));
    const times = ofKind(trace, "output").map(({ at, local }) => [at, local]);
    expect(times).toEqual([
      [0, 0],
      [2 * ms, 252 * ms],
    ]);
    expect(ofKind(trace, "fault")).toMatchObject([
      { process: "net", at: ms, fault: "clock P2 +250ms", phase: "begin" },
    ]);
  });

  test("at 0 s is wrong from the start, and everybody else's is right", () => {
    const trace = play([[1, "P1", { boast: "right" }]], faults("clock P2 -1s"));
    expect(ofKind(trace, "start", "output").map(({ process, local }) => `${process} ${local}`)).toEqual([
      "P1 0",
      "P2 -1000000",
      "P1 1",
    ]);
  });

  test("makes timers wrong, which count by it", () => {
    const script: Script = [[0, "P2", { timer: "t", after: SECOND }]];
    // 25% fast: a second of its own is 0.8 s of everybody else's.
    expect(seenBy("P2", play(script, faults("clock P2 drift 250000ppm")))).toEqual(["800000 !t"]);
  });
});

describe("choices", () => {
  const choices: Script = Array.from({ length: 40 }, (_, i) => [i, "P2", { choose: 10 }]);
  const made = (trace: ReturnType<typeof play>) => seenBy("P2", trace).map((text) => text.split(" ")[1]);

  test("are seeded, one stream per process, and recorded with the input", () => {
    const trace = play(choices);
    expect(new Set(made(trace)).size).toBeGreaterThan(5);
    const picks = ofKind(trace, "command").map((event) =>
      event.kind === "command" ? event.picks : undefined,
    );
    expect(picks).toEqual(made(trace).map((text) => [Number(text?.slice(1))]));
    const busy: Script = [...choices, ...choices.map(([at]) => [at, "P1", { choose: 3 }] as const)];
    expect(made(play(busy))).toEqual(made(trace));
    expect(made(play(choices, { seed: 2 }))).not.toEqual(made(trace));
  });

  test("of a new incarnation come from a stream of their own", () => {
    const before = made(play(choices.slice(0, 8)));
    const script: Script = choices.slice(0, 8);
    const user = {
      start: () => ({ state: null, commands: script.map(([after, , command]) => ({ after, command })) }),
    };
    const again = made(play([], { user, ...faults("crash P2 at 1ms, restart P2 at 2ms") }));
    expect(again.slice(0, 8)).toEqual(before);
    expect(again.slice(8)).not.toEqual(before);
    // Choices made before the crash do not shift those after it.
    const crashedEarly = made(play([], { user, ...faults("crash P2 at 3us, restart P2 at 2ms") }));
    expect(crashedEarly.slice(-8)).toEqual(again.slice(8));
  });
});

test("a plan that names a stranger is refused before anything runs", () => {
  const plan = { links: [], schedule: [{ kind: "crash", process: "P9", at: 0 } as const] };
  expect(() => new Simulation(settingsOf([], { faults: plan }))).toThrow(UsageError);
});

test("a message to a stranger ends the run as failed and says who is there", () => {
  expect(play([[0, "P1", { send: "P9", text: "x" }]]).end).toEqual({
    stopped: "failed",
    detail: "P1 failed: it sent to P9; this run has P1, P2",
  });
});

describe("a handler that fails ends the run as failed, with its own words", () => {
  const failing = (onMessage: typeof puppet.onMessage): Trace["end"] =>
    play([[0, "P1", send("a")]], { protocol: { ...puppet, onMessage }, strict: true }).end;

  test("by throwing", () => {
    const thrown = failing(() => {
      throw new Error("handler failed");
    });
    expect(thrown).toEqual({ stopped: "failed", detail: "P2 failed at a message from P1: handler failed" });
  });

  test("by returning nothing", () => {
    const nothing = (() => undefined) as unknown as typeof puppet.onMessage;
    expect(failing(nothing).detail).toMatch(
      /returned nothing from a message; a handler returns the next state$/,
    );
  });

  test("by a state that is no plain data, when strict", () => {
    const unplain = (() => new Map()) as unknown as typeof puppet.onMessage;
    expect(failing(unplain).detail).toMatch(/its state is no plain data at \.; use what JSON can carry$/);
  });

  test("by changing its state in place, when strict", () => {
    const changing: typeof puppet.onMessage = (state) => Object.assign(state, { changed: true });
    expect(failing(changing).detail).toMatch(/a handler must not change what it is given$/);
  });
});

test("faults that touch nothing change nothing but what they record", () => {
  const script: Script = [
    [0, "P1", send("a")],
    [1, "P2", { choose: 5 }],
  ];
  const undisturbed = play(script);
  expect(traceHash(play(script, faults("loss 0%")).events)).toBe(traceHash(undisturbed.events));
  const marked = play(script, faults("one-way P2 -> P1 at 0s..1s"));
  expect(marked.events.filter(({ process }) => process !== "net")).toEqual(undisturbed.events);
});
