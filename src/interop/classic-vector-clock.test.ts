import fc from "fast-check";
import { expect, test } from "vitest";
import {
  CLASSIC_DATAGRAM_BYTES_MAX,
  ClassicFormatError,
  decodeClassicMessage,
  encodeClassicMessage,
} from "./classic-vector-clock.js";

const utf8 = (text: string) => new TextEncoder().encode(text);

test("a message is CONTENT:PID:IP:V0, V1, V2, byte by byte", () => {
  const message = { content: "olá", pid: 1, address: "127.0.0.1", vector: [0, 1, 20] };
  expect(encodeClassicMessage(message)).toEqual(utf8("olá:1:127.0.0.1:0, 1, 20"));
  expect(decodeClassicMessage(utf8("olá:1:127.0.0.1:0, 1, 20"), 3)).toEqual(message);
});

test("what is written is read back, colons and line feeds in the content included", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(":", "a", "1", ".", ",", " ", "\n", "é", "😀"), maxLength: 100 }),
      fc.array(fc.nat({ max: 1e9 }), { minLength: 1, maxLength: 20 }),
      fc.nat(),
      (content, rest, at) => {
        const pid = at % rest.length;
        const vector = rest.map((count, i) => (i === pid ? count + 1 : count));
        const message = { content, pid, address: "10.0.0.255", vector };
        expect(decodeClassicMessage(encodeClassicMessage(message), vector.length)).toEqual(message);
      },
    ),
  );
});

test.each([
  ["wrong-form", utf8("")],
  ["wrong-form", utf8("hello")],
  ["wrong-form", utf8("hello:1:localhost:0, 1, 0")],
  ["wrong-form", utf8("hello:x:127.0.0.1:0, 1, 0")],
  ["wrong-form", utf8("hello:-1:127.0.0.1:0, 1, 0")],
  ["wrong-form", utf8("hello:1:127.0.0.1:0, 1, Infinity")],
  ["wrong-process", utf8("hello:3:127.0.0.1:0, 1, 0")],
  ["wrong-vector", utf8("hello:1:127.0.0.1:0, 1")],
  ["wrong-vector", utf8("hello:1:127.0.0.1:0, 1, 0, 0")],
  ["wrong-vector", utf8("hello:1:127.0.0.1:0, 1, -5")],
  ["wrong-vector", utf8("hello:1:127.0.0.1:0, 1, 99999999999999999999")],
  ["wrong-vector", utf8("hello:1:127.0.0.1:0, 1, ")],
  ["wrong-vector", utf8("hello:1:127.0.0.1:5, 0, 5")],
  ["not-text", new Uint8Array([0xff, 0xfe, 0x3a])],
  ["too-long", utf8(`${"x".repeat(CLASSIC_DATAGRAM_BYTES_MAX)}:1:127.0.0.1:0, 1, 0`)],
] as const)("%s: %o is refused", (code, datagram) => {
  try {
    expect(decodeClassicMessage(datagram, 3)).toBe("refused");
  } catch (error) {
    expect(error).toBeInstanceOf(ClassicFormatError);
    expect(error).toMatchObject({ code });
  }
});

test("any bytes at all are read or refused, and nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeClassicMessage(bytes, 3);
      } catch (error) {
        expect(error).toBeInstanceOf(ClassicFormatError);
      }
    }),
  );
});

test("a message that a classic receiver would cut off is refused", () => {
  const message = { content: "x".repeat(1010), pid: 0, address: "127.0.0.1", vector: [1, 0, 0] };
  expect(() => encodeClassicMessage(message)).toThrow(/at most 1024/);
});
