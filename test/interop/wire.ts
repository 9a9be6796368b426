import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { CLASSIC_FORMATS, type ClassicCallOptions, type ClassicFormat } from "../../src/interop/index.js";
import type { CallOutcome } from "../../src/protocols/index.js";

/** The format of that service. */
export function formatOf(service: string): ClassicFormat {
  const found = CLASSIC_FORMATS.find((format) => format.service === service);
  if (found === undefined) throw new Error(`there is no format ${service}`);
  return found;
}

/** Calls with a deadline that only a hung test reaches. */
export function callOver(
  format: ClassicFormat,
  to: string,
  words: string,
  more: Partial<ClassicCallOptions> = {},
): Promise<CallOutcome> {
  const [method = "", ...rest] = words.split(" ");
  return format.call(method, rest, { to, msMax: 20_000, ...more });
}

export function portOf(address: string): number {
  return Number(/:(\d+)$/.exec(address)?.[1]);
}

/** A connection to a port of this machine, before anything is sent. */
export function plug(address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: portOf(address), allowHalfOpen: true, noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

/** Everything that comes until the other side ends, as Latin-1: a character for each byte. A reset is an end, too. */
export function allOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.on("error", () => {});
    socket.once("end", () => resolve(text));
    socket.once("close", () => resolve(text));
  });
}

/** Sends bytes and gives what comes back until the other side ends. */
export async function say(address: string, bytes: string | Uint8Array): Promise<string> {
  const socket = await plug(address);
  const reply = allOf(socket);
  socket.write(bytes);
  try {
    return await reply;
  } finally {
    socket.destroy();
  }
}

/** A server that answers whatever it is sent with these bytes, and closes. */
export async function parrot(
  bytes: string | Uint8Array,
): Promise<AsyncDisposable & { readonly address: string }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => socket.end(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `tcp://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Lines of a log, and a promise for the one that matches. */
export class Lines {
  readonly all: string[] = [];
  readonly #watchers = new Set<() => void>();

  readonly log = (line: string): void => {
    this.all.push(line);
    for (const watch of this.#watchers) watch();
  };

  shown(pattern: RegExp, count = 1): Promise<readonly string[]> {
    return new Promise((resolve) => {
      const watch = (): void => {
        const found = this.all.filter((line) => pattern.test(line));
        if (found.length < count) return;
        this.#watchers.delete(watch);
        resolve(found);
      };
      this.#watchers.add(watch);
      watch();
    });
  }
}
