import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach } from "vitest";
import { start, type Started } from "./lightcone.js";

const folder = mkdtempSync(join(tmpdir(), "lightcone-process-"));
const started: Started[] = [];

afterEach(async () => {
  for (const one of started) one.signal("SIGKILL");
  await Promise.all(started.splice(0).map((one) => one.ended));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * Where the processes of one group listen. Ports of the system's choice would have to be free twice; instead each group
 * has a loopback network of its own, one of 16 million, and the port is always the same.
 */
export class Group {
  readonly folder = mkdtempSync(join(folder, "group-"));
  readonly scheme: string;
  readonly count: number;
  readonly #network = `127.${randomInt(1, 255)}.${randomInt(0, 256)}`;

  constructor(scheme = "udp", count = 3) {
    this.scheme = scheme;
    this.count = count;
  }

  host(id: number): string {
    return `${this.#network}.${id + 1}`;
  }

  address(id: number): string {
    if (this.scheme === "uds") return `uds://${this.folder}/${id}.sock`;
    if (this.scheme === "fifo") return `fifo://${this.folder}/${id}.fifo`;
    return `${this.scheme}://${this.host(id)}:5050`;
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  /** The command line of one of them. */
  args(id: number, ...more: string[]): string[] {
    const peers = Array.from({ length: this.count }, (_, other) => other)
      .filter((other) => other !== id)
      .flatMap((other) => ["--peer", `${other}=${this.address(other)}`]);
    const here = ["--id", `${id}`, "--processes", `${this.count}`, "--listen", this.address(id)];
    return ["process", ...here, ...peers, "--max-delay", "200ms", ...more];
  }

  start(id: number, ...more: string[]): Started {
    const one = start(this.args(id, ...more), { typed: true });
    started.push(one);
    return one;
  }
}

/** The address of its page, once there is one. */
export async function pageOf(one: Started): Promise<string> {
  const [, url = ""] = await one.shown(/^page +(\S+)$/m);
  return url;
}
