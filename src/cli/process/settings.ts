import {
  DURATION_MAX,
  formatDuration,
  nearestName,
  parseDuration,
  unknownName,
  UsageError,
  type Duration,
  type ProcessId,
} from "../../core/index.js";
import { vectorClocksLab } from "../../labs/index.js";
import {
  parseFifoAddress,
  parseToDial,
  parseUdsAddress,
  type Transport,
  type TransportTable,
} from "../../transports/index.js";
import type { ProcessFlags } from "../program.js";

/** Another process of the group, and where it listens. */
export interface Peer {
  readonly process: ProcessId;
  readonly address: string;
}

/** The command line of `lightcone process`, checked. */
export interface ProcessSettings {
  readonly id: number;
  readonly self: ProcessId;
  /** `P0` to `Pn-1`: the ids of the command line with a letter before them. */
  readonly processes: readonly ProcessId[];
  readonly listen: string;
  readonly peers: readonly Peer[];
  readonly transport: Transport;
  readonly delayMax: Duration;
  readonly retriesMax: number;
  readonly seed: number;
  readonly classic: boolean;
  readonly page: number | undefined;
  readonly log: string | undefined;
  readonly out: string | undefined;
}

const PROCESSES_MAX = vectorClocksLab.processes.max;
const RETRIES_MAX = 1_000_000;

/** Checks everything that can be known before anything is opened; throws a `UsageError` of one line. */
export function readSettings(flags: ProcessFlags, transports: TransportTable): ProcessSettings {
  const count = whole("--processes", flags.processes, 2, PROCESSES_MAX);
  const id = whole("--id", flags.id, 0, count - 1, ` (${count} processes)`);
  const processes = Array.from({ length: count }, (_, i) => nameOf(i));
  const classic = flags.classic === true;
  const transport = transportOf("--listen", flags.listen, transports);
  if (classic && transport.scheme !== "udp") {
    throw new UsageError(`--classic speaks udp only; listen at udp://HOST:PORT instead of ${flags.listen}`);
  }
  if (classic && flags.out !== undefined) {
    throw new UsageError(
      "--out cannot be had with --classic: its datagrams do not name the send that a trace needs",
    );
  }
  const peers = readPeers(flags, id, count);
  for (const { address } of peers) {
    const { scheme } = transportOf("--peer", address, transports);
    if (scheme !== transport.scheme) {
      throw new UsageError(`--peer ${address} is not at ${transport.scheme}://, where this process listens`);
    }
    checkPeer(scheme, address);
  }
  const delayMax = durationOf("--max-delay", flags.maxDelay);
  return {
    id,
    self: nameOf(id),
    processes,
    listen: flags.listen,
    peers,
    transport,
    delayMax,
    retriesMax: whole("--max-retries", flags.maxRetries, 0, RETRIES_MAX),
    seed: whole("--seed", flags.seed, 0, Number.MAX_SAFE_INTEGER),
    classic,
    page: flags.page === undefined ? undefined : whole("--page", flags.page, 0, 65_535),
    log: flags.log,
    out: flags.out,
  };
}

/** The settings as they are printed at the start, and on the page. */
export function describeSettings(
  settings: ProcessSettings,
): { readonly name: string; readonly value: string }[] {
  const { self, processes, peers, delayMax, retriesMax, seed, classic, log, out } = settings;
  return [
    { name: "process", value: `${self} of ${processes.join(", ")}` },
    ...peers.map(({ process, address }) => ({ name: process, value: address })),
    { name: "longest delay", value: formatDuration(delayMax) },
    { name: "retries", value: `${retriesMax}` },
    { name: "seed", value: `${seed}` },
    { name: "format", value: classic ? "classic datagrams" : "Lightcone" },
    ...(log === undefined ? [] : [{ name: "log", value: log }]),
    ...(out === undefined ? [] : [{ name: "trace", value: out }]),
  ];
}

/** `2` is called P2. */
export function nameOf(id: number): ProcessId {
  return `P${id}`;
}

function readPeers({ peer, listen }: ProcessFlags, id: number, count: number): Peer[] {
  const byId = new Map<number, string>();
  for (const text of peer) {
    const match = /^([0-9]{1,6})=(.+)$/s.exec(text);
    if (match === null)
      throw new UsageError(`--peer takes ID=URL, such as 1=udp://127.0.0.1:5051; "${text}" given`);
    const [, digits = "", address = ""] = match;
    const other = whole("--peer", digits, 0, count - 1, ` (${count} processes)`);
    if (other === id) throw new UsageError(`--peer ${text}: ${id} is this process itself; name the others`);
    if (byId.has(other))
      throw new UsageError(`two peers with id ${other}: ${byId.get(other)} and ${address}`);
    const twin = [...byId].find(([, taken]) => taken === address)?.[0];
    if (twin !== undefined) throw new UsageError(`peers ${twin} and ${other} are both at ${address}`);
    if (address === listen) throw new UsageError(`--peer ${text}: that is where this process listens itself`);
    byId.set(other, address);
  }
  return Array.from({ length: count }, (_, other) => other)
    .filter((other) => other !== id)
    .map((other) => {
      const address = byId.get(other);
      if (address === undefined) {
        throw new UsageError(
          `no peer ${other}; add --peer ${other}=URL, one for each of the ${count - 1} others`,
        );
      }
      return { process: nameOf(other), address };
    });
}

function transportOf(flag: string, address: string, transports: TransportTable): Transport {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]{0,31}):\/\//.exec(address)?.[1];
  const known = Object.keys(transports);
  if (scheme === undefined) {
    const nearest = nearestName(address.split(":")[0] ?? "", known) ?? "udp";
    throw new UsageError(`${flag} takes a URL such as ${nearest}://127.0.0.1:5050; "${address}" given`);
  }
  const transport = Object.hasOwn(transports, scheme) ? transports[scheme] : undefined;
  if (transport === undefined) throw unknownName("transport", scheme, known);
  return transport;
}

/** Dialling would take a malformed address for a peer that is not there yet. */
function checkPeer(scheme: string, address: string): void {
  if (scheme === "uds") parseUdsAddress(address);
  else if (scheme === "fifo") parseFifoAddress(address);
  else if (["tcp", "tls", "udp"].includes(scheme)) parseToDial(scheme, address);
}

function whole(flag: string, text: string, min: number, max: number, why = ""): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) {
    throw new UsageError(`${flag} takes a whole number from ${min} to ${max}${why}; "${text}" given`);
  }
  return value;
}

function durationOf(flag: string, text: string): Duration {
  const duration = parseDuration(text);
  if (duration > DURATION_MAX) throw new UsageError(`${flag} ${text} is too long`);
  return duration;
}
