import type { Socket } from "node:net";
import { connect, createServer } from "node:net";
import type { Carrier } from "./carrier.js";

const kept: Socket[] = [];

/**
 * Bare sockets, with the one listener that any use of them needs. An address is a path, or a port. The first byte says
 * that a connection was accepted: a Unix socket is connected before that, and more than the queue holds are refused.
 */
export const raw: Carrier = {
  listen: (address) =>
    new Promise((resolve) => {
      const server = createServer({ noDelay: true }, (socket) => {
        keep(socket);
        socket.write("!");
      });
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
      socket.once("error", reject);
      socket.once("data", () => {
        socket.off("error", reject);
        keep(socket);
        resolve();
      });
    }),
};

function keep(socket: Socket): void {
  socket.on("data", ignore);
  kept.push(socket);
}

function ignore(): void {}
