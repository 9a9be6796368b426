import { UsageError, nearestName, type ProcessId } from "../../core/index.js";
import type { Peer, ProcessSettings } from "./settings.js";

/**
 * Who is meant by an address: `undefined` for all. Takes nothing, `all`, an id or a name (`2`, `P2`), a peer's URL, its
 * `HOST:PORT`, or its host alone where only one peer is there. Throws a `UsageError` for anything else.
 */
export function recipientOf(given: string, { self, peers }: ProcessSettings): ProcessId | undefined {
  const text = given.trim();
  if (text === "" || text.toLowerCase() === "all") return undefined;
  const name = /^[0-9]{1,4}$/.test(text) ? `P${Number(text)}` : text.replace(/^p/, "P");
  if (name === self) throw new UsageError(`${self} is this process itself; write to all, or to another`);
  const fits = peers.filter(
    ({ process, address }) =>
      process === name || address === text || hostPort(address) === text || hostOf(address) === text,
  );
  const [only] = fits;
  if (only !== undefined && fits.length === 1) return only.process;
  if (fits.length > 1) {
    const names = fits.map(({ process, address }) => `${process} at ${address}`).join(", ");
    throw new UsageError(`"${text}" can be ${names}; name one of them`);
  }
  const known = peers.map(({ process }) => process);
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  throw new UsageError(`nobody here is called "${text}"${hint || "."} Known: all, ${known.join(", ")}`);
}

/** The host of a peer's address, or the whole address where there are no hosts. */
export function hostOf(address: string): string {
  return /^(.*):[0-9]+$/.exec(hostPort(address))?.[1] ?? address;
}

/** What `GET /receive_message` gives as the sender's address. */
export function hostOfPeer(process: ProcessId, peers: readonly Peer[]): string {
  return hostOf(peers.find((peer) => peer.process === process)?.address ?? "");
}

function hostPort(address: string): string {
  return address.slice(address.indexOf("://") + 3);
}
