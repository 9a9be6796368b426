import { join } from "node:path";
import type { Recorder } from "../../dist/host/index.js";
import { FileRecorder, Mesh, ProcessHost, RunClock } from "../../dist/host/index.js";
import { tcp } from "../../dist/transports/index.js";
import type { Pair, Side } from "./side.js";
import { traffic } from "./traffic.js";

const PROCESSES = ["P1", "P2"];

/** The whole way: steps, vector clocks, checked frames; and with a folder, every event written down before it leaves. */
export function hosted(folder: string | undefined): Pair {
  return {
    async first(onListening) {
      const { host, mesh } = await participant("P1", folder);
      onListening(mesh.address);
      await mesh.connected(["P2"]);
      host.start();
      return sideOf(host, "P2");
    },

    async second(address) {
      const { host, mesh } = await participant("P2", folder);
      host.start();
      mesh.reach({ process: "P1", incarnation: 0, address });
      await mesh.connected(["P1"]);
      return sideOf(host, "P1");
    },
  };
}

async function participant(
  self: string,
  folder: string | undefined,
): Promise<{ readonly host: ProcessHost; readonly mesh: Mesh }> {
  const recorder: Recorder | undefined =
    folder === undefined ? undefined : new FileRecorder(join(folder, self));
  const host = new ProcessHost({
    protocol: traffic,
    self,
    processes: PROCESSES,
    seed: 1,
    clock: new RunClock(),
    listener: { onFailure: fail, onTrouble: fail },
    ...(recorder !== undefined && { recorder }),
  });
  const mesh = await Mesh.open({
    transport: tcp,
    listen: "tcp://127.0.0.1:0",
    self,
    processes: PROCESSES,
    incarnation: 0,
    token: "benchmark",
    user: host,
    onTrouble: fail,
  });
  return { host, mesh };
}

function sideOf(host: ProcessHost, peer: string): Side {
  return { received: () => host.status().links.find((link) => link.peer === peer)?.received ?? 0 };
}

function fail(error: Error): never {
  throw error;
}
