import type { Context, Duration, Layer, ProcessId, Protocol } from "../../core/index.js";
import { innerContext, invariant } from "../../core/index.js";
import { PeerRecords } from "./peer-records.js";
import type { PeerRestartAware } from "./peer-restart.js";
import type { ReliableLink, ReliableMessage } from "./reliable-link.js";
import { copyReliableLink, newReliableLink } from "./reliable-link.js";
import type { ReliableOptions } from "./reliable-options.js";
import type { SequenceRange } from "./sequence-ranges.js";
import { gaps, includesSequence, withSequence, messagesText } from "./sequence-ranges.js";

export const RELIABLE_TIMERS = "reliable/";
const ACK = "reliable/ack/";
const HEARTBEAT = "reliable/heartbeat/";
const REPAIR = "reliable/repair/";

/** A request for repair names at most so many gaps; what it leaves out is asked for when these are filled. */
const GAPS_MAX = 64;

/** Percent of the computed delay. Only repetitions draw: the first wait is exact, and an explorer need not branch. */
const JITTER: readonly number[] = [60, 80, 100];

export interface ReliableState<Inner, Body> {
  readonly inner: Inner;
  readonly links: Readonly<Record<ProcessId, Readonly<ReliableLink<Body>>>>;
}

/** One step of `reliable`: all its rules are here. */
export class ReliableStep<Inner, Body, Command, Output> implements Layer<Body, Output> {
  readonly #protocol: Protocol<Inner, Body, Command, Output> & PeerRestartAware<Inner, Body, Output>;
  readonly #options: ReliableOptions;
  readonly #ctx: Context<ReliableMessage<Body>, Output>;
  readonly #before: ReliableState<Inner, Body> | undefined;
  readonly #links: PeerRecords<ReliableLink<Body>>;
  readonly inside: Context<Body, Output>;

  constructor(
    protocol: Protocol<Inner, Body, Command, Output> & PeerRestartAware<Inner, Body, Output>,
    options: ReliableOptions,
    ctx: Context<ReliableMessage<Body>, Output>,
    before?: ReliableState<Inner, Body>,
  ) {
    this.#protocol = protocol;
    this.#options = options;
    this.#ctx = ctx;
    this.#before = before;
    this.#links = new PeerRecords<ReliableLink<Body>>(before?.links ?? {}, newReliableLink, copyReliableLink);
    this.inside = innerContext<ReliableMessage<Body>, Body, Output>(ctx, this);
  }

  /** The state after the step, given the inner protocol's. */
  after(inner: Inner): ReliableState<Inner, Body> {
    const links = this.#links.records;
    const before = this.#before;
    return before !== undefined && inner === before.inner && links === before.links
      ? before
      : { inner, links };
  }

  send(to: ProcessId, body: Body): void {
    const link = this.#links.edit(to);
    const sentBefore = link.sent;
    if (link.queue.length < this.#options.queueMax) {
      link.queue = [...link.queue, body];
      this.#sendWaiting(to, link);
    } else {
      link.refused += 1;
      this.#ctx.explain("link.refused", { peer: to, limit: this.#options.queueMax, refused: link.refused });
    }
    // Both ends may have given up on each other. What the protocol asks for is one more attempt, repeated by nobody.
    if (link.gaveUp && link.sent === sentBefore) this.#sendHeartbeat(to, link);
  }

  receive(inner: Inner, from: ProcessId, frame: ReliableMessage<Body>): Inner {
    const epoch = this.#links.peek(from)?.epoch ?? 0;
    if (frame.epoch < epoch) {
      this.#ctx.explain("link.stale", { peer: from, incarnation: frame.epoch, current: epoch });
      return inner;
    }
    let next = frame.epoch > epoch ? this.#peerRestarted(inner, from, frame.epoch) : inner;
    this.#heard(from);
    if (frame.toEpoch !== this.#ctx.incarnation) {
      // Meant for an earlier incarnation of this process. The acknowledgement tells the sender who is here now.
      if (frame.kind === "data" || frame.kind === "heartbeat") {
        const current = this.#ctx.incarnation;
        this.#ctx.explain("link.misdirected", { peer: from, incarnation: frame.toEpoch, current });
        this.#links.edit(from).due += 1;
      }
    } else {
      this.#acknowledged(from, frame.ack);
      switch (frame.kind) {
        case "data":
          next = this.#accept(next, from, frame.seq, frame.body);
          break;
        case "heartbeat":
          this.#answer(from, frame.highest);
          break;
        case "nack":
          this.#resend(from, frame.missing);
          break;
        case "ack":
          break;
      }
    }
    this.#acknowledgeInTime(from);
    return next;
  }

  timer(name: string): void {
    if (name.startsWith(ACK)) this.#acknowledge(name.slice(ACK.length));
    else if (name.startsWith(HEARTBEAT)) this.#heartbeat(name.slice(HEARTBEAT.length));
    else if (name.startsWith(REPAIR)) this.#repair(name.slice(REPAIR.length));
    else invariant(false, `reliable has no timer "${name}"; timers under "${RELIABLE_TIMERS}" are its own`);
  }

  // ── What this process sends ──────────────────────────────────────────────────────────────────────────────────

  #sendWaiting(to: ProcessId, link: ReliableLink<Body>): void {
    const last = Math.min(highestQueued(link), link.first - 1 + this.#options.window);
    while (link.sent < last) {
      link.sent += 1;
      this.#sendData(to, link, link.sent);
    }
    if (link.beating || link.gaveUp || link.queue.length === 0) return;
    link.beating = true;
    this.#ctx.setTimer(HEARTBEAT + to, this.#options.heartbeatAfter);
  }

  #sendData(to: ProcessId, link: ReliableLink<Body>, seq: number): void {
    const body = link.queue[seq - link.first] as Body;
    const ack = this.#carriesAck(to, link);
    this.#ctx.send(to, { kind: "data", epoch: this.#ctx.incarnation, toEpoch: link.epoch, ack, seq, body });
  }

  #acknowledged(peer: ProcessId, ack: number): void {
    const known = this.#links.peek(peer);
    if (known === undefined || ack < known.first || ack > known.sent) return;
    const link = this.#links.edit(peer);
    link.queue = link.queue.slice(ack - link.first + 1);
    link.first = ack + 1;
    this.#sendWaiting(peer, link);
    if (link.queue.length === 0 && link.beating) {
      link.beating = false;
      this.#ctx.cancelTimer(HEARTBEAT + peer);
    }
  }

  #resend(peer: ProcessId, missing: readonly SequenceRange[]): void {
    const known = this.#links.peek(peer);
    if (known === undefined) return;
    const link = this.#links.edit(peer);
    for (const [first, last] of missing) {
      const from = Math.max(first, link.first);
      const to = Math.min(last, link.sent);
      if (from > to) continue;
      this.#ctx.explain("link.resend", { peer, messages: messagesText([[from, to]]) });
      for (let seq = from; seq <= to; seq++) this.#sendData(peer, link, seq);
    }
  }

  #heartbeat(peer: ProcessId): void {
    const link = this.#links.edit(peer);
    if (link.beats >= this.#options.maxRetries) {
      link.beating = false;
      link.gaveUp = true;
      this.#ctx.explain("link.gave-up", { peer, attempts: link.beats, unacknowledged: link.queue.length });
      return;
    }
    link.beats += 1;
    this.#sendHeartbeat(peer, link);
    this.#ctx.setTimer(
      HEARTBEAT + peer,
      this.#backOff(this.#options.heartbeatAfter, link.beats, this.#options.heartbeatMax),
    );
  }

  #sendHeartbeat(to: ProcessId, link: ReliableLink<Body>): void {
    const ack = this.#carriesAck(to, link);
    this.#ctx.send(to, {
      kind: "heartbeat",
      epoch: this.#ctx.incarnation,
      toEpoch: link.epoch,
      ack,
      highest: link.sent,
    });
  }

  /** Whatever a peer sends shows that it is there. */
  #heard(peer: ProcessId): void {
    const known = this.#links.peek(peer);
    if (known === undefined || (known.beats === 0 && !known.gaveUp)) return;
    const link = this.#links.edit(peer);
    if (link.gaveUp) this.#ctx.explain("link.revived", { peer, unacknowledged: link.queue.length });
    link.beats = 0;
    link.gaveUp = false;
    link.beating = link.queue.length > 0;
    if (link.beating) this.#ctx.setTimer(HEARTBEAT + peer, this.#options.heartbeatAfter);
  }

  // ── What it receives ─────────────────────────────────────────────────────────────────────────────────────────

  #accept(inner: Inner, from: ProcessId, seq: number, body: Body): Inner {
    const link = this.#links.edit(from);
    // Duplicates too: perhaps the peer sends again because the acknowledgement was lost.
    link.due += 1;
    if (seq < link.next || includesSequence(link.early, seq)) {
      this.#ctx.explain("link.duplicate", { peer: from, sequence: seq });
      return inner;
    }
    link.highest = Math.max(link.highest, seq);
    if (seq >= link.next + this.#options.window) {
      this.#ctx.explain("link.beyond-window", { peer: from, sequence: seq, limit: this.#options.window });
      this.#watchForGaps(from, link);
      return inner;
    }
    link.asks = 0;
    if (seq === link.next) advance(link);
    else link.early = withSequence(link.early, seq);
    this.#watchForGaps(from, link);
    this.#ctx.deliver("reliable", from, seq, body);
    return this.#protocol.onMessage(inner, from, body, this.inside);
  }

  #answer(from: ProcessId, highest: number): void {
    const link = this.#links.edit(from);
    link.highest = Math.max(link.highest, highest);
    this.#watchForGaps(from, link);
    this.#acknowledge(from);
  }

  /** `next` has not arrived, so there is a gap exactly when something from there on was sent. */
  #watchForGaps(from: ProcessId, link: ReliableLink<Body>): void {
    const missing = link.highest >= link.next;
    if (missing === link.asking) return;
    link.asking = missing;
    if (missing) this.#ctx.setTimer(REPAIR + from, this.#options.repairAfter);
    else this.#ctx.cancelTimer(REPAIR + from);
  }

  #repair(peer: ProcessId): void {
    const link = this.#links.edit(peer);
    const missing = gaps(link.early, link.next, link.highest, GAPS_MAX);
    if (link.asks >= this.#options.maxRetries) {
      // The next word of the peer, of the many that its own heartbeats will bring if it lives, starts this again.
      this.#ctx.explain("link.stopped-asking", { peer, attempts: link.asks, missing: messagesText(missing) });
      link.asking = false;
      link.asks = 0;
      return;
    }
    this.#ctx.explain("link.gap", { peer, missing: messagesText(missing) });
    const ack = this.#carriesAck(peer, link);
    this.#ctx.send(peer, { kind: "nack", epoch: this.#ctx.incarnation, toEpoch: link.epoch, ack, missing });
    link.asks += 1;
    // Twice as long at once: a repair takes a round trip.
    const again = this.#backOff(this.#options.repairAfter, link.asks + 1, this.#options.repairMax);
    this.#ctx.setTimer(REPAIR + peer, again);
  }

  /** Everything that leaves acknowledges; a frame that does only that waits a little for one that would do it anyway. */
  #acknowledgeInTime(peer: ProcessId): void {
    const known = this.#links.peek(peer);
    if (known === undefined || known.due === 0) return;
    // A quarter of the window, so that a busy sender need not wait for the timer to go on.
    if (known.due >= this.#options.window / 4) this.#acknowledge(peer);
    else if (!known.acking) {
      this.#links.edit(peer).acking = true;
      this.#ctx.setTimer(ACK + peer, this.#options.acknowledgeAfter);
    }
  }

  #acknowledge(peer: ProcessId): void {
    const link = this.#links.edit(peer);
    const ack = this.#carriesAck(peer, link);
    this.#ctx.send(peer, { kind: "ack", epoch: this.#ctx.incarnation, toEpoch: link.epoch, ack });
  }

  #carriesAck(to: ProcessId, link: ReliableLink<Body>): number {
    link.due = 0;
    if (link.acking) {
      link.acking = false;
      this.#ctx.cancelTimer(ACK + to);
    }
    return link.next - 1;
  }

  // ── Restarts, delays ─────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Both streams begin anew. What the dead incarnation left unacknowledged goes to the new one, which has not seen
   * it; whether the dead one had is unknowable.
   */
  #peerRestarted(inner: Inner, peer: ProcessId, epoch: number): Inner {
    const known = this.#links.peek(peer) !== undefined;
    const link = this.#links.edit(peer);
    const undelivered = link.queue;
    if (link.acking) this.#ctx.cancelTimer(ACK + peer);
    if (link.beating) this.#ctx.cancelTimer(HEARTBEAT + peer);
    if (link.asking) this.#ctx.cancelTimer(REPAIR + peer);
    Object.assign(link, newReliableLink<Body>(), { epoch, refused: link.refused });
    if (known)
      this.#ctx.explain("link.restarted", { peer, incarnation: epoch, undelivered: undelivered.length });
    if (this.#protocol.onPeerRestart !== undefined) {
      return this.#protocol.onPeerRestart(inner, peer, epoch, undelivered, this.inside);
    }
    link.queue = undelivered;
    this.#sendWaiting(peer, link);
    return inner;
  }

  #backOff(base: Duration, doublings: number, max: Duration): Duration {
    const longest = Math.max(base, Math.min(base * 2 ** doublings, max));
    return Math.ceil((longest * this.#ctx.choose("reliable/jitter", JITTER)) / 100);
  }
}

function highestQueued<Body>(link: ReliableLink<Body>): number {
  return link.first - 1 + link.queue.length;
}

/** `next` has arrived: on to the least number that has not. */
function advance<Body>(link: ReliableLink<Body>): void {
  link.next += 1;
  const [run] = link.early;
  if (run === undefined || run[0] !== link.next) return;
  link.next = run[1] + 1;
  link.early = link.early.slice(1);
}
