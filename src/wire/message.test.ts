import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteWriter } from "./byte-writer.js";
import { FrameError } from "./errors.js";
import type { MessageHeader } from "./message.js";
import { decodeMessage, encodeMessage, MESSAGE_KINDS, messageHeader } from "./message.js";

const NUMBER = fc.oneof(
  fc.nat(),
  fc.maxSafeNat(),
  fc.constantFrom(0, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1),
);

const HEADER: fc.Arbitrary<MessageHeader> = fc
  .record({
    kind: fc.constantFrom(...MESSAGE_KINDS),
    number: NUMBER,
    clockForm: fc.constantFrom("none" as const, "full" as const, "changed" as const),
    entries: fc.uniqueArray(fc.tuple(fc.nat(4095), NUMBER), { maxLength: 20, selector: ([index]) => index }),
  })
  .map(({ kind, number, clockForm, entries }) => {
    const rising = clockForm === "none" ? [] : entries.toSorted(([a], [b]) => a - b);
    return {
      kind,
      number,
      clockForm,
      clock: clockForm === "changed" ? rising.flat() : rising.map(([, value]) => value),
    };
  });

test("F20: a header and its payload come back", () => {
  fc.assert(
    fc.property(HEADER, fc.uint8Array({ maxLength: 50 }), (header, payload) => {
      const writer = new ByteWriter();
      encodeMessage(writer, header);
      writer.raw(payload);
      const read = messageHeader();
      decodeMessage(read, writer.bytes, 0, writer.end);
      expect(read).toMatchObject({ ...header });
      expect(writer.bytes.slice(read.payloadStart, read.payloadEnd)).toEqual(payload);
    }),
    { numRuns: 1_000 },
  );
});

test("a record that held a long clock holds nothing of it beside the next one", () => {
  const writer = new ByteWriter();
  const read = messageHeader();
  for (const values of [[1, 2, 3, 4], [9]]) {
    writer.clear();
    encodeMessage(writer, {
      ...messageHeader(),
      clockForm: "full",
      clock: values,
    });
    decodeMessage(read, writer.bytes, 0, writer.end);
    expect(read.clock).toEqual(values);
  }
});

test("F19: the layout is the documented one, byte for byte", () => {
  const writer = new ByteWriter();
  encodeMessage(writer, {
    kind: "message",
    number: 300,
    clockForm: "changed",
    clock: [0, 7, 3, 128],
  });
  expect(Array.from(writer.copy())).toEqual([2, 2, 0xac, 0x02, 2, 0, 7, 3, 0x80, 0x01]);
});

test.each([
  ["nothing", []],
  ["an unknown kind", [200, 0, 1]],
  ["reserved flags", [2, 4, 1]],
  ["flags that mean nothing", [2, 3, 1]],
  ["no number", [2, 0, 0x80]],
  ["a number beyond 2^53 - 1", [2, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ["a number without an end", [2, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
  ["more clock entries than bytes", [2, 1, 1, 9, 1]],
  ["more clock entries than processes", [2, 1, 1, 0x81, 0x20]],
  ["indices that do not rise", [2, 2, 1, 2, 3, 1, 3, 1]],
  ["an index beyond any process", [2, 2, 1, 1, 0x80, 0x20, 1]],
  ["a clock cut off", [2, 1, 1, 2, 0x80, 0x80]],
])("F13: %s is a protocol error", (_what, bytes) => {
  expect(() => decodeMessage(messageHeader(), Uint8Array.from(bytes), 0, bytes.length)).toThrow(
    expect.objectContaining({ code: "protocol-error" }),
  );
});

test("any bytes end in a header or a named error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        decodeMessage(messageHeader(), bytes, 0, bytes.length);
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    }),
    { numRuns: 5_000 },
  );
});
