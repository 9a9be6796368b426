import type { Context, Protocol } from "../../core/index.js";
import { invariant, UsageError } from "../../core/index.js";
import type { PeerRestartAware } from "./peer-restart.js";
import type { ReliableMessage } from "./reliable-link.js";
import type { ReliableOptions } from "./reliable-options.js";
import { reliableOptions } from "./reliable-options.js";
import type { ReliableState } from "./reliable-step.js";
import { RELIABLE_TIMERS, ReliableStep } from "./reliable-step.js";

/**
 * Gives a protocol reliable links over a network that loses, duplicates and reorders: every message is handed over
 * exactly once, at once when it arrives, in whatever order that is. For order put `fifo` inside: `reliable(fifo(p))`.
 *
 * The receiver asks for what is missing; the sender keeps each message until the peer acknowledges it, and tells of
 * its last one by heartbeats. Exactly once holds between two incarnations: after a peer's restart its new incarnation
 * gets what no earlier one acknowledged, and of what an earlier one did acknowledge, nothing. After `maxRetries`
 * heartbeats without an answer the link gives up (rule "link.gave-up") and keeps its messages until the peer is heard.
 *
 * Source: negative acknowledgements with session messages as in S. Floyd, V. Jacobson et al., "A Reliable Multicast
 * Framework for Light-weight Sessions and Application Level Framing", IEEE/ACM ToN 5(6), 1997, here per pair, so
 * without suppression. Throws a {@link UsageError} for options that cannot be.
 */
export function reliable<Inner, Body, Command, Output>(
  protocol: Protocol<Inner, Body, Command, Output> & PeerRestartAware<Inner, Body, Output>,
  options: Partial<ReliableOptions> = {},
): Protocol<ReliableState<Inner, Body>, ReliableMessage<Body>, Command, Output> {
  const settings = reliableOptions(options);
  if (protocol.name.includes("reliable(")) {
    throw new UsageError(`${protocol.name} has reliable links already; wrap it once`);
  }
  type State = ReliableState<Inner, Body>;
  const begin = (ctx: Context<ReliableMessage<Body>, Output>, state?: State) =>
    new ReliableStep(protocol, settings, ctx, state);

  return {
    name: `reliable(${protocol.name})`,

    start(ctx) {
      const step = begin(ctx);
      return step.after(protocol.start(step.inside));
    },

    onMessage(state, from, frame, ctx) {
      const step = begin(ctx, state);
      return step.after(step.receive(state.inner, from, frame));
    },

    onTimer(state, timer, ctx) {
      const step = begin(ctx, state);
      if (timer.startsWith(RELIABLE_TIMERS)) {
        step.timer(timer);
        return step.after(state.inner);
      }
      invariant(protocol.onTimer !== undefined, `${protocol.name} set timer "${timer}" but has no onTimer`);
      return step.after(protocol.onTimer(state.inner, timer, step.inside));
    },

    onCommand(state, command, ctx) {
      invariant(protocol.onCommand !== undefined, `${protocol.name} takes no commands`);
      const step = begin(ctx, state);
      return step.after(protocol.onCommand(state.inner, command, step.inside));
    },

    // Of its own the link saves nothing: the incarnation in every frame tells the new streams from the old.
    onRestart(saved, ctx) {
      const step = begin(ctx);
      return step.after(
        protocol.onRestart === undefined
          ? protocol.start(step.inside)
          : protocol.onRestart(saved, step.inside),
      );
    },
  };
}

/** A sentence for every rule that `reliable` explains; terms in braces. */
export const reliableNarration: Readonly<Record<string, string>> = {
  "link.duplicate": "drops message {sequence} of {peer}: it has come before",
  "link.beyond-window": "drops message {sequence} of {peer}: more than {limit} ahead of what has arrived",
  "link.gap": "misses {missing} of {peer} and asks for it again",
  "link.stopped-asking": "stops asking {peer} for {missing} after {attempts} attempts without an answer",
  "link.resend": "sends {peer} {messages} once more",
  "link.gave-up":
    "gives up on {peer} after {attempts} heartbeats without an answer; keeps {unacknowledged} unacknowledged",
  "link.revived": "hears {peer} again and takes up its {unacknowledged} unacknowledged messages",
  "link.refused": "cannot keep more than {limit} messages for {peer}; {refused} refused so far",
  "link.restarted":
    "learns that {peer} runs in incarnation {incarnation}; {undelivered} messages go to it anew",
  "link.misdirected":
    "tells {peer}, which wrote to incarnation {incarnation} of this process, that it runs in {current}",
  "link.stale": "ignores {peer} as of incarnation {incarnation}: it runs in {current} now",
};
