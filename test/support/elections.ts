import type { ProcessId, Protocol } from "../../src/core/index.js";
import { MILLISECOND, processNames } from "../../src/core/index.js";
import type { ElectionCommand, ElectionOutput } from "../../src/protocols/index.js";
import { PureNetwork, type Packet } from "./pure-network.js";

export interface Election<Message> {
  /** Whom each process took for the leader last. */
  readonly leaders: Readonly<Record<ProcessId, ProcessId | undefined>>;
  readonly sent: readonly Packet<Message>[];
}

/** One election on a network where every message takes a millisecond: `starters` begin at once, `down` is down. */
export function electionOf<State, Message>(
  protocol: Protocol<State, Message, ElectionCommand, ElectionOutput>,
  n: number,
  starters: readonly ProcessId[],
  down: readonly ProcessId[] = [],
): Election<Message> {
  const processes = processNames(n);
  const sent: Packet<Message>[] = [];
  const net = new PureNetwork(protocol, processes, {
    seed: 1,
    delay: [MILLISECOND, MILLISECOND],
    drops: (packet) => {
      sent.push(packet);
      return false;
    },
  });
  for (const process of down) net.crash(process);
  for (const process of starters) net.command(process, { kind: "elect" });
  net.run();
  const leaders = Object.fromEntries(
    processes.map((process) => {
      const elected = net
        .outputs(process)
        .flatMap((output) => (output.kind === "elected" ? [output.leader] : []));
      return [process, down.includes(process) ? undefined : elected.at(-1)];
    }),
  );
  return { leaders, sent };
}

/** Every order of the numbers from 1 to n. */
export function permutations(n: number): number[][] {
  if (n === 0) return [[]];
  return permutations(n - 1).flatMap((rest) =>
    Array.from({ length: n }, (_, place) => rest.toSpliced(place, 0, n)),
  );
}
