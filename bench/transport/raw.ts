import type { Socket } from "node:net";
import { connect, createServer } from "node:net";
import type { Link, Linker } from "./link.js";

const HIGH_WATER_BYTES = 16 * 1024 * 1024;
const ROOM_BYTES = 65_536;

/**
 * What a careful programmer writes by hand: a length before each frame, one write per tick out of one buffer, frames
 * parsed where they arrive. No handshake, no checksum, no limits.
 */
export const raw: Linker = {
  listen: (address, accept) =>
    new Promise((resolve) => {
      const server = createServer({ noDelay: true }, (socket) => accept(rawLink(socket)));
      const listening = (): void => {
        const bound = server.address();
        resolve(bound === null || typeof bound === "string" ? address : String(bound.port));
      };
      if (address.startsWith("/")) server.listen(address, listening);
      else server.listen(Number(address), "127.0.0.1", listening);
    }),

  dial: (address) =>
    new Promise((resolve, reject) => {
      const socket = address.startsWith("/")
        ? connect(address)
        : connect({ port: Number(address), host: "127.0.0.1", noDelay: true });
      socket.once("connect", () => resolve(rawLink(socket)));
      socket.once("error", reject);
    }),
};

function rawLink(socket: Socket): Link {
  let room = Buffer.allocUnsafeSlow(ROOM_BYTES);
  let start = 0;
  let end = 0;
  let scheduled = false;
  let wake: (() => void) | undefined;
  let rest: Buffer | undefined;

  function flush(): void {
    scheduled = false;
    if (end > start) socket.write(room.subarray(start, end), written);
    start = end;
  }
  function written(): void {
    if (wake === undefined || socket.writableLength >= HIGH_WATER_BYTES) return;
    wake();
    wake = undefined;
  }

  return {
    send(frame, from, to) {
      const length = to - from;
      if (end + length + 4 > room.length) {
        if (end > start) socket.write(room.subarray(start, end), written);
        room = Buffer.allocUnsafeSlow(Math.max(ROOM_BYTES, length + 4));
        start = end = 0;
      }
      room[end] = length;
      room[end + 1] = length >>> 8;
      room[end + 2] = length >>> 16;
      room[end + 3] = length >>> 24;
      room.set(from === 0 && to === frame.length ? frame : frame.subarray(from, to), end + 4);
      end += 4 + length;
      if (!scheduled) {
        scheduled = true;
        process.nextTick(flush);
      }
      return socket.writableLength < HIGH_WATER_BYTES;
    },

    drained: () =>
      new Promise((resolve) => {
        if (socket.writableLength < HIGH_WATER_BYTES) resolve();
        else wake = resolve;
      }),

    receive(onFrame) {
      socket.on("data", (chunk: Buffer) => {
        const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
        rest = undefined;
        let at = 0;
        while (bytes.length - at >= 4) {
          const length =
            (bytes[at] as number) |
            ((bytes[at + 1] as number) << 8) |
            ((bytes[at + 2] as number) << 16) |
            ((bytes[at + 3] as number) << 24);
          if (bytes.length - at - 4 < length) break;
          at += 4 + length;
          onFrame(bytes, at - length, at);
        }
        if (at < bytes.length) rest = bytes.subarray(at);
      });
    },
  };
}
