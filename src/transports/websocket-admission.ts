import { isIPv6 } from "node:net";
import { escapeText } from "../core/index.js";

// Who may open a WebSocket. Everything that decides it is here.
//
// A browser lets any page open a WebSocket to any address, also to this machine's own, and says honestly, in Origin,
// which page it was. So a page has to be on the list. A page whose name the attacker points at our address (DNS
// rebinding) gives itself away by the Host it asks for. Programs that are no browser can say what they like, and could
// as well have dialled a plain socket; they present themselves by a header that a page's script cannot set, so that a
// browser (or a page in a sandbox, whose Origin is "null") is never taken for one.

/** `Lightcone-Participant: 1` is how a program that is no browser presents itself. */
export const PARTICIPANT_HEADER = "lightcone-participant";

/** What the request says, each header as often as it came. */
export interface Claim {
  readonly url: string | undefined;
  readonly host: readonly string[];
  readonly origin: readonly string[];
  readonly participant: readonly string[];
}

export interface Refusal {
  /** HTTP's status. */
  readonly status: 403 | 404 | 421;
  /** One sentence, safe for a terminal. */
  readonly why: string;
}

/** Why a request is not let in, or `undefined`. Compares exactly: no case folding, no trailing dot, no other notation. */
export function refusalOf(
  claim: Claim,
  hosts: ReadonlySet<string>,
  origins: ReadonlySet<string>,
): Refusal | undefined {
  const [host = ""] = claim.host;
  if (claim.host.length !== 1 || !hosts.has(host)) {
    return { status: 421, why: `it asked for the host "${shown(claim.host)}", which is not this listener` };
  }
  if (claim.origin.length > 0) {
    const [origin = ""] = claim.origin;
    if (claim.origin.length !== 1 || !origins.has(origin)) {
      return { status: 403, why: `pages of the origin "${shown(claim.origin)}" may not connect` };
    }
  } else if (claim.participant.join() !== "1") {
    return { status: 403, why: `it has no Origin and no ${PARTICIPANT_HEADER} header` };
  }
  return claim.url === "/" ? undefined : { status: 404, why: "it asked for another path than /" };
}

/**
 * The Host headers under which a listener may be called at the address where a connection reached it: that address, the
 * name it was told to listen at, and `localhost` on a loopback interface; each with the port, unless that is 80.
 */
export function ownHosts(
  localAddress: string,
  port: number,
  asked: string,
  others: ReadonlySet<string>,
): ReadonlySet<string> {
  // A socket for both families shows IPv4 as ::ffff:127.0.0.1.
  const address = localAddress.replace(/^::ffff:(?=[0-9.]+$)/, "");
  const names = new Set([isIPv6(address) ? `[${address}]` : address, asked.toLowerCase()]);
  if (/^127\.|^::1$/.test(address)) names.add("localhost");
  return new Set([...others, ...[...names].map((name) => (port === 80 ? name : `${name}:${port}`))]);
}

function shown(values: readonly string[]): string {
  return escapeText(values.join(", ").slice(0, 100));
}
