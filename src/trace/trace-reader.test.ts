import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arbitraryTrace, headerOf } from "./arbitrary-trace.test-helper.js";
import { crc32, hex32 } from "./crc32.js";
import type { Trace, TraceEvent } from "./event.js";
import { LINE_LENGTH_MAX } from "./limits.js";
import { TraceError } from "./trace-error.js";
import { readTrace, TraceReader } from "./trace-reader.js";
import { writeTrace } from "./trace-writer.js";

const events: readonly TraceEvent[] = [
  { process: "P1", number: 1, at: 0, local: 0, kind: "start", incarnation: 0 },
  { process: "P2", number: 1, at: 0, local: 0, kind: "start", incarnation: 0 },
  { process: "P1", number: 2, at: 0, local: 0, kind: "send", to: "P2", message: { hello: 1 } },
  {
    process: "P2",
    number: 2,
    at: 9,
    local: 8,
    vector: [2, 2],
    kind: "receive",
    from: "P1",
    send: 2,
    picks: [1],
  },
];
const trace: Trace = { header: headerOf(["P1", "P2"]), events, end: { stopped: "quiescent" } };
const text = writeTrace(trace);

describe("a valid trace", () => {
  test("is read back as it was written", () => {
    fc.assert(
      fc.property(arbitraryTrace(), (written) => {
        const { header, events, end, complete } = readTrace(writeTrace(written));
        expect({ header, events, end }).toEqual(written);
        expect(complete).toBe(true);
      }),
    );
  });

  test("is read the same from chunks cut anywhere", () => {
    fc.assert(
      fc.property(arbitraryTrace({ happeningsMax: 20 }), fc.array(fc.nat(10_000)), (written, cuts) => {
        const whole = writeTrace(written);
        const reader = new TraceReader();
        let from = 0;
        for (const cut of cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b)) {
          reader.push(whole.slice(from, cut));
          from = cut;
        }
        reader.push(whole.slice(from));
        expect(reader.finish()).toEqual(readTrace(whole));
      }),
    );
  });

  test("may lack its last line feed", () => {
    expect(readTrace(text.slice(0, -1)).events).toEqual(events);
  });

  test("goes to onEvent line by line, and is then not kept", () => {
    const seen: TraceEvent[] = [];
    const reader = new TraceReader({ onEvent: (event) => seen.push(event) });
    for (const character of text.slice(0, text.indexOf("\n", text.indexOf("send")) + 1))
      reader.push(character);
    expect(seen).toEqual(events.slice(0, 3));
    expect(reader.header).toEqual(trace.header);
    reader.push(text.slice(text.indexOf("\n", text.indexOf("send")) + 1));
    expect(reader.finish().events).toEqual([]);
    expect(seen).toEqual(events);
  });
});

describe("the file of one process", () => {
  const own: Trace = {
    header: { ...trace.header, process: "P2" },
    events: events.filter((event) => event.process === "P2"),
    end: trace.end,
  };

  test("may name sends that only another file has", () => {
    expect(readTrace(writeTrace(own)).complete).toBe(true);
  });

  test("may lack its end line and stop inside a line, since the process was killed", () => {
    const whole = writeTrace(own);
    const cut = whole.slice(0, whole.lastIndexOf('"kind":"receive"'));
    const { events, complete, end } = readTrace(cut);
    expect(events).toEqual(own.events.slice(0, 1));
    expect(complete).toBe(false);
    expect(end.stopped).toBe("interrupted");
  });

  test("holds no other process's events", () => {
    expect(problem(writeTrace({ ...own, events }))).toContain("expected an event of P2, whose file this is");
  });
});

describe("a file that cannot be used is refused", () => {
  test.each([
    ["not-a-trace", "", "run.trace line 1: expected the header of a trace; the file is empty"],
    ["not-a-trace", "\u001f\u008b\u0008", "unzip it first"],
    [
      "not-a-trace",
      "hello\nworld\n",
      'run.trace line 1: expected the header of a trace, {"format":"lightcone-trace",…}, found "hello"',
    ],
    ["not-a-trace", "null\n", "expected the header"],
    ["not-a-trace", "x".repeat(LINE_LENGTH_MAX + 1), "expected the header"],
    ["truncated", '{"format":"lightcone-tr', "the file is truncated (no complete event)"],
    [
      "newer-version",
      text.replace('"version":1', '"version":2'),
      "expected version 1 of the format, found 2",
    ],
    [
      "bad-line",
      text.replace('"version":1', '"version":0'),
      'expected "version" of the header to be 1, found 0',
    ],
    [
      "bad-line",
      text.replace('"seed":41', '"seed":-1'),
      'expected "seed" of the header to be a whole number from 0, found -1',
    ],
    ["bad-line", text.replace('["P1","P2"]', '["P1","P1"]'), "names must differ"],
    ["bad-line", text.replace('["P1","P2"]', '["P1","net"]'), "give the process another name"],
    ["bad-line", text.replace('"rounds":3', '"__proto__":3'), 'expected "options"'],
    [
      "truncated",
      text.slice(0, -30),
      "run.trace line 6: expected the end line; the file is truncated (last complete event P2:2)",
    ],
    ["truncated", text.slice(0, text.indexOf("\n") + 1), "(no complete event)"],
    ["tampered", text.replace('"hello":1', '"hello":2'), "the file was changed after it was written"],
    ["tampered", text.replace('"events":4', '"events":5'), "expected 5 events as the end line says, found 4"],
    ["bad-line", `${text}\n`, "run.trace line 7: expected nothing after the end line, found an empty line"],
    ["bad-line", `${text}${text}`, "expected nothing after the end line"],
    [
      "bad-line",
      text.replace("\n", "\n\n"),
      "run.trace line 2: expected an event as one JSON object, found an empty line",
    ],
    ["bad-line", text.replace("\n", `\n${"[".repeat(100_000)}\n`), "run.trace line 2: expected an event"],
    [
      "too-large",
      text.replace("\n", `\n${"[".repeat(LINE_LENGTH_MAX + 1)}\n`),
      "expected at most 1048576 characters in a line",
    ],
  ])("%s (%#)", (code, found, message) => {
    expect(problem(found)).toContain(message);
    expect(codeOf(found)).toBe(code);
  });

  test.each([
    ['"number":2,"at":0', '"number":3,"at":0', 'expected event P1:2, found "P1:3"'],
    [
      '"process":"P1","number":2',
      '"process":"P9","number":2',
      'expected "process" to be one of P1, P2, net; found "P9"',
    ],
    ['"kind":"send"', '"kind":"sent"', 'found "sent"'],
    ['"kind":"send"', '"kind":"toString"', 'found "toString"'],
    ['"to":"P2"', '"to":"P3"', 'expected "to" to be one of P1, P2; found "P3"'],
    ['"to":"P2"', '"to":"P1"', 'expected P1:2 to be an earlier send to "P2", found one that is not'],
    ['"to":"P2"', '"to":2', 'expected "to" of the send to be the name of a process, found 2'],
    ['"to":"P2",', "", 'expected "to" of the send to be the name of a process, found nothing'],
    [
      '"send":2',
      '"send":3',
      'expected P1:3 to be an earlier send to "P2", found an event that is not before it',
    ],
    ['"send":2', '"send":1', "found one that is not"],
    ['"send":2', '"send":2.5', 'expected "send" of the receive to be a whole number from 1, found 2.5'],
    ['"at":9', '"at":1e999', 'expected "at" of the receive to be whole microseconds, found Infinity'],
    ['"at":9', '"at":"9"', 'found "9"'],
    ['"at":9', '"at":9,"extra":1', 'found "extra"'],
    ['"at":9', '"at":9,"__proto__":1', 'found "__proto__"'],
    ['{"hello":1}', '{"__proto__":1}', 'expected "message" of the send to be plain data'],
    ['{"hello":1}', '{"a":[{"\\u005f_proto__":1}]}', "without __proto__"],
    ['{"hello":1}', "1e999", "plain data"],
    ['{"hello":1}', "[".repeat(65) + "]".repeat(65), "nested at most 64 deep"],
    ['"vector":[2,2]', '"vector":[2]', 'expected "vector" to have one number per process, 2, found a list'],
    [
      '"vector":[2,2]',
      '"vector":[2,-2]',
      'expected "vector" of the receive to be a list of whole numbers from 0',
    ],
    ['"picks":[1]', '"picks":1', 'expected "picks"'],
    ['"incarnation":0', '"incarnation":1', "expected a start to be the first input of its process"],
    [
      '"stopped":"quiescent"',
      '"stopped":"bored"',
      'expected "stopped" of the end line to be one of quiescent',
    ],
    [/"checksum":"[0-9a-f]+"/, '"checksum":"x"', "eight hexadecimal digits"],
  ])("where %s became %s", (from, to, message) => {
    expect(problem(text.replace(from, to))).toContain(message);
  });

  test.each([
    [
      "an effect before any input",
      [{ process: "P1", number: 1, at: 0, kind: "output", value: 1 }],
      "expected an input of P1",
    ],
    [
      "anything but a restart after a crash",
      [...events, crash(3), { process: "P2", number: 4, at: 9, kind: "timer", timer: "t" }],
      "expected a restart after the crash P2:3, found a timer",
    ],
    ["a second crash", [...events, crash(3), crash(4)], "found a crash"],
    ["a restart without a crash", [...events, restart(3, 1)], "expected a restart to follow a crash"],
    [
      "a restart that counts no further",
      [...events, crash(3), restart(4, 0)],
      "expected an incarnation above 0, found 0",
    ],
    [
      "an effect between crash and restart",
      [...events, crash(3), { process: "P2", number: 4, at: 9, kind: "output", value: 1 }],
      "expected a restart",
    ],
    [
      "a process event on net",
      [{ process: "net", number: 1, at: 0, kind: "timer", timer: "t" }],
      "expected a timer on a process's lane",
    ],
    [
      "a pause on a process's lane",
      [{ process: "P1", number: 1, at: 0, kind: "pause", target: "P2" }],
      "expected a pause on net",
    ],
    [
      "a clock on net",
      [{ process: "net", number: 1, at: 0, local: 0, kind: "pause", target: "P2" }],
      'expected no "local"',
    ],
    [
      "a drop on the receiver's lane",
      [
        ...events,
        { process: "P2", number: 3, at: 9, kind: "drop", from: "P1", send: 2, to: "P2", reason: "loss" },
      ],
      "expected a drop on the lane of its sender",
    ],
    [
      "a drop of another receiver's message",
      [
        ...events,
        { process: "net", number: 1, at: 9, kind: "drop", from: "P1", send: 2, to: "P1", reason: "loss" },
      ],
      'expected P1:2 to be an earlier send to "P1"',
    ],
  ] as readonly (readonly [string, readonly TraceEvent[], string])[])("%s", (_, bad, message) => {
    expect(problem(writeTrace({ ...trace, events: bad }))).toContain(message);
  });

  test("in one printable line of bounded length, whatever the file and its name hold", () => {
    const hostile = "\u001b[2J\r\n\u202e".repeat(1000);
    const line = text.replace('"kind":"send"', `"kind":${JSON.stringify(hostile)}`);
    const message = problem(line, `${hostile}.trace`);
    // oxlint-disable-next-line no-control-regex -- control characters are the point
    expect(message).not.toMatch(/[\u0000-\u001f\u202e]/);
    expect(message.length).toBeLessThan(2000);
  });
});

describe("any mutation of a trace", () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "\n",
      '"',
      "{",
      "}",
      ",",
      "0",
      "-",
      "e9",
      "null",
      "[",
      "\u0000",
      "\ud800",
      '"__proto__":',
      '"end":{}',
      "P1",
      "net",
      "1e999",
    ),
  );
  const edits = fc.array(fc.record({ at: fc.nat(100_000), cut: fc.nat(30), put: piece }), {
    minLength: 1,
    maxLength: 5,
  });

  test("is a TraceError or a trace, never anything else", () => {
    let refused = 0;
    fc.assert(
      fc.property(arbitraryTrace({ happeningsMax: 15 }), edits, fc.boolean(), (written, edits, repair) => {
        let changed = writeTrace(written);
        for (const { at, cut, put } of edits) {
          const place = at % (changed.length + 1);
          changed = changed.slice(0, place) + put + changed.slice(place + cut);
        }
        // With its checksum repaired a change must be caught by what it says, if at all.
        if (repair) changed = repaired(changed);
        try {
          const again = readTrace(changed);
          expect(readTrace(writeTrace(again)).events).toEqual(again.events);
        } catch (error) {
          if (!(error instanceof TraceError)) throw error;
          expect(error.message).toMatch(/^trace line \d+: expected [^\n]+$/);
          refused++;
        }
      }),
      { numRuns: 1500 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  test("of its letters alone is found by the checksum if by nothing else", () => {
    fc.assert(
      fc.property(fc.nat(text.lastIndexOf('{"end"') - 1), fc.integer({ min: 1, max: 127 }), (place, flip) => {
        const unit = String.fromCharCode(text.charCodeAt(place) ^ flip);
        expect(() => readTrace(text.slice(0, place) + unit + text.slice(place + 1))).toThrow(TraceError);
      }),
      { numRuns: 1000 },
    );
  });

  test("that cuts it short is called truncated, and nothing else", () => {
    for (let length = 1; length < text.length - 1; length++)
      expect(codeOf(text.slice(0, length))).toBe("truncated");
  });
});

function crash(number: number): TraceEvent {
  return { process: "P2", number, at: 9, kind: "crash" };
}

function restart(number: number, incarnation: number): TraceEvent {
  return { process: "P2", number, at: 9, kind: "restart", incarnation };
}

function repaired(text: string): string {
  const place = text.lastIndexOf('{"end"');
  if (place < 0) return text;
  const events = text.slice(0, place).split("\n").length - 2;
  const checksum = hex32(crc32(text.slice(0, place)));
  return `${text.slice(0, place)}{"end":{"stopped":"failed","events":${events},"checksum":"${checksum}"}}\n`;
}

function errorOf(text: string, name = "run.trace"): TraceError {
  try {
    readTrace(text, { name });
  } catch (error) {
    if (error instanceof TraceError) return error;
    throw error;
  }
  throw new Error("the text was read as a trace");
}

function problem(text: string, name?: string): string {
  return errorOf(text, name).message;
}

function codeOf(text: string): string {
  return errorOf(text).code;
}
