import fc from "fast-check";
import { crc32 as zlibCrc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Random } from "../core/index.js";
import { BatchDecoder } from "./batch-decoder.js";
import { BatchEncoder } from "./batch-encoder.js";
import {
  checkPreamble,
  goodbye,
  HEADER_BYTES,
  preamble,
  preambleStatus,
  writeHeader,
} from "./batch-format.js";
import { CHUNK_BYTES } from "./chunk-pool.js";
import { crc32 } from "./crc32.js";
import { FrameError } from "./errors.js";

const FRAMES = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 30 });

test("crc32 is the one of zlib, from and to any place", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), fc.nat(100), (bytes, a, b) => {
      const [start, end] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)];
      expect(crc32(bytes, start, end)).toBe(zlibCrc32(bytes.subarray(start, end)));
    }),
  );
});

test("F20: frames come out as they went in, wherever the stream is cut", () => {
  fc.assert(
    fc.property(FRAMES, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (frames, cuts) => {
      expect(decodeInPieces(encode(frames), cuts)).toEqual(frames);
    }),
  );
});

test("F01: a batch cut in two at any byte is one frame", () => {
  const frame = new Uint8Array(200).map((_, i) => i);
  const bytes = encode([frame]);
  for (let cut = 1; cut < bytes.length; cut++)
    expect(decodeInPieces(bytes, [cut, bytes.length])).toEqual([frame]);
});

test("F02: 1,000 frames of one tick are 1,000 frames, in order, in few batches", () => {
  const frames = Array.from({ length: 1_000 }, (_, i) => Uint8Array.of(i, i >> 8));
  const bytes = encode(frames);
  expect(bytes.length).toBe(1_000 * 3 + HEADER_BYTES);
  expect(decodeInPieces(bytes, [bytes.length])).toEqual(frames);
});

test("F03, L09: time is linear in the bytes: 16 MiB in one frame, and 10 KiB a byte at a time", () => {
  const frame = new Uint8Array(16 * 1024 * 1024).fill(9);
  const bytes = encode([frame]);
  const began = performance.now();
  expect(count(bytes, 65_536)).toEqual([1, frame.length]);
  expect(count(encode([frame.subarray(0, 10_240)]), 1)).toEqual([1, 10_240]);
  // Generous, for a busy machine; quadratic copying takes minutes.
  expect(performance.now() - began).toBeLessThan(5_000);
});

describe("F04, F05: a length beyond the limit", () => {
  test.each([1_000 + 5, 0x7fffffff, 0x80000000, 0xffffffff])(
    "%i is refused before anything is kept",
    (length) => {
      const header = headerFor(length);
      const decoder = new BatchDecoder({ frameBytesMax: 1_000 });
      expect(() => decoder.push(header, 0, header.length, never)).toThrow(code("frame-too-long"));
      expect(decoder.bufferBytes).toBe(0);
    },
  );

  test("a frame just fits, one byte more does not", () => {
    const encoder = new BatchEncoder({ frameBytesMax: 1_000 });
    encoder.add(new Uint8Array(1_000), 0, 1_000);
    expect(() => encoder.add(new Uint8Array(1_001), 0, 1_001)).toThrow(code("frame-too-long"));
  });

  test("a frame longer than its batch is a protocol error, though the checksum is right", () => {
    for (const payload of [[5, 1, 2], [0x80], [0x80, 0x80, 0x80, 0x80, 1], [0xff, 0xff, 0xff, 0xff, 0x7f]]) {
      const batch = batchOf(payload);
      expect(() => decodeInPieces(batch, [batch.length])).toThrow(code("protocol-error"));
    }
  });
});

test("F06: an empty frame is a frame, an empty batch is refused", () => {
  expect(decodeInPieces(encode([new Uint8Array(0), new Uint8Array(0)]), [100])).toHaveLength(2);
  expect(() => decodeInPieces(batchOf([]), [100])).toThrow(code("protocol-error"));
});

test("F07: an announced batch of 16 MiB holds only what has come", () => {
  const bytes = encode([new Uint8Array(16 * 1024 * 1024)]);
  const decoder = new BatchDecoder();
  decoder.push(bytes, 0, 20, never);
  expect(decoder.heldBytes).toBe(20);
  expect(decoder.bufferBytes).toBeLessThanOrEqual(CHUNK_BYTES);
});

test("F10: what other programs say first is bad magic", () => {
  for (const text of [
    "GET / HTTP/1.1\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 random",
    "SSH-2.0-OpenSSH_9.2\r\n",
  ]) {
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    expect(() => decodeInPieces(bytes, [bytes.length])).toThrow(code("bad-magic"));
    expect(() => checkPreamble(bytes, 0, 1)).toThrow(code("bad-magic"));
  }
});

test("a preamble is checked as far as it has come", () => {
  const ours = preamble("full");
  for (let count = 0; count <= ours.length; count++) checkPreamble(ours, 0, count);
  expect(preambleStatus(ours)).toBe("full");
  for (let bit = 0; bit < ours.length * 8; bit++) {
    // The lowest bit of the status is the one that may be either.
    if (bit === 5 * 8) continue;
    const damaged = ours.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(() => checkPreamble(damaged, 0, damaged.length), `bit ${bit}`).toThrow(FrameError);
  }
});

test("F11: each single flipped bit of a batch of 256 bytes is found, and nothing of it is delivered", () => {
  const frames = [new Uint8Array(100).fill(1), new Uint8Array(137).fill(2)];
  const bytes = encode(frames);
  expect(bytes.length).toBe(256);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(() => decodeInPieces(damaged, [damaged.length], never), `bit ${bit}`).toThrow(FrameError);
  }
});

test("F12: mutated streams end in frames or a named error, and never deliver what was not sent", () => {
  const random = new Random(20_260_101);
  const frames = Array.from({ length: 20 }, (_, i) => new Uint8Array(i * 7).fill(i + 1));
  const sent = new Set(frames.map(String));
  const bytes = encode(frames.slice(0, 10), frames.slice(10));
  for (let round = 0; round < 20_000; round++) {
    const mutated = mutate(bytes, random);
    try {
      for (const frame of decodeInPieces(mutated, [1 + random.below(mutated.length)])) {
        expect(sent).toContain(String(frame));
      }
    } catch (error) {
      expect(error).toBeInstanceOf(FrameError);
    }
  }
});

test("F13: reserved flags are refused, another version is named with ours", () => {
  const flagged = encode([Uint8Array.of(1)]);
  writeHeader(flagged, 0, flagged.length, 2, crc32);
  expect(() => decodeInPieces(flagged, [100])).toThrow(code("protocol-error"));
  const newer = encode([Uint8Array.of(1)]);
  newer[2] = 7;
  expect(() => decodeInPieces(newer, [100])).toThrow(/version 7 .* version 1/);
});

test("F19: the layout is the documented one, byte for byte", () => {
  const bytes = encode([Uint8Array.of(0xab, 0xcd), new Uint8Array(130).fill(0xee)]);
  expect(hex(bytes.subarray(0, 24))).toBe("c34c0100870000006d3a1d0364d254b002abcd8201eeeeee");
  expect(hex(goodbye("closed"))).toBe("c34c010106000000e44dc704317ce21c636c6f736564");
});

test("a goodbye ends the stream and says why; what no code contains is not passed on", () => {
  const decoder = new BatchDecoder();
  const bytes = goodbye("bad-\x1b[2Jmagic");
  decoder.push(bytes, 0, bytes.length, never);
  expect(decoder.goodbye).toBe("bad-????magic");
  const more = encode([Uint8Array.of(1)]);
  decoder.push(more, 0, more.length, never);
});

test("after stop() not even the rest of the present batch is handed on", () => {
  const bytes = encode([Uint8Array.of(1), Uint8Array.of(2)]);
  const decoder = new BatchDecoder();
  let frames = 0;
  decoder.push(bytes, 0, bytes.length, () => {
    frames++;
    decoder.stop();
  });
  expect(frames).toBe(1);
});

test("frames of several sizes leave in chunks whose sum is what was announced", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 150_000 }), { minLength: 1, maxLength: 8 }), (sizes) => {
      const encoder = new BatchEncoder();
      for (const size of sizes) encoder.add(new Uint8Array(size), 0, size);
      const announced = encoder.queuedBytes;
      const chunks: Uint8Array[] = [];
      encoder.take((bytes, length) => chunks.push(bytes.slice(0, length)));
      expect(chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(announced);
      expect(decodeInPieces(join(chunks), [70_000]).map((frame) => frame.length)).toEqual(sizes);
      expect(encoder.queuedBytes).toBe(0);
    }),
    { numRuns: 30 },
  );
});

function encode(...ticks: (readonly Uint8Array[])[]): Uint8Array {
  const encoder = new BatchEncoder();
  const chunks: Uint8Array[] = [];
  for (const frames of ticks) {
    for (const frame of frames) encoder.add(frame, 0, frame.length);
    encoder.take((bytes, length) => chunks.push(bytes.slice(0, length)));
  }
  return join(chunks);
}

/** Feeds pieces of the lengths in `cuts`, again and again. */
function decodeInPieces(bytes: Uint8Array, cuts: readonly number[], onFrame?: () => void): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const decoder = new BatchDecoder();
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const end = Math.min(bytes.length, at + (cuts[i % cuts.length] ?? 1));
    decoder.push(bytes, at, end, (from, frameStart, frameEnd) => {
      onFrame?.();
      frames.push(Uint8Array.from(from.subarray(frameStart, frameEnd)));
    });
    at = end;
  }
  return frames;
}

function count(bytes: Uint8Array, piece: number): [frames: number, bytes: number] {
  const decoder = new BatchDecoder();
  let frames = 0;
  let total = 0;
  for (let at = 0; at < bytes.length; at += piece) {
    decoder.push(bytes, at, Math.min(bytes.length, at + piece), (_bytes, start, end) => {
      frames++;
      total += end - start;
    });
  }
  return [frames, total];
}

function batchOf(payload: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  bytes.set(payload, HEADER_BYTES);
  writeHeader(bytes, 0, bytes.length, 0, crc32);
  return bytes;
}

/** A header whose check is right and whose length is a lie. */
function headerFor(length: number): Uint8Array {
  const bytes = batchOf([0]).slice(0, HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, length, true);
  view.setUint32(12, crc32(bytes, 0, 12), true);
  return bytes;
}

function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  const at = random.below(copy.length);
  switch (random.below(4)) {
    case 0:
      copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
      return copy;
    case 1:
      return copy.slice(0, Math.max(1, at));
    case 2:
      return join([copy.subarray(0, at), copy.subarray(random.below(copy.length))]);
    default:
      copy.copyWithin(at, random.below(copy.length), copy.length);
      return copy;
  }
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

function code(wanted: string): object {
  return expect.objectContaining({ code: wanted });
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function never(): void {
  throw new Error("a frame was delivered");
}
