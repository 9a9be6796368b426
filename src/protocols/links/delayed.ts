import type { Context, Duration, ProcessId, Protocol } from "../../core/index.js";
import { DURATION_MAX, innerContext, invariant, UsageError } from "../../core/index.js";

/** Messages that wait to leave; a further one leaves at once, because one that is dropped would block its successors. */
export const DELAYED_MAX = 10_000;

/** A delay is so many thousandths of the longest: uniform, and a choice that seeds and replays can name. */
const THOUSANDTHS: readonly number[] = Array.from({ length: 1001 }, (_, i) => i);

const TIMER = "delayed/";

export interface DelayedState<Inner, Message> {
  readonly inner: Inner;
  /** In the order sent, which need not be the order in which they leave. */
  readonly waiting: readonly { readonly id: number; readonly to: ProcessId; readonly message: Message }[];
  readonly ids: number;
}

/**
 * Lets each message of a protocol leave after a delay of its own, uniform in [0, `delayMax`] microseconds: so messages
 * overtake each other on purpose, also those to one receiver. What waits when the process ends is lost.
 *
 * Put reliable links outside: `reliable(delayed(p))` delays the messages and none of their acknowledgements. Throws a
 * {@link UsageError} for a delay that cannot be.
 */
export function delayed<Inner, Message, Command, Output>(
  protocol: Protocol<Inner, Message, Command, Output>,
  delayMax: Duration,
): Protocol<DelayedState<Inner, Message>, Message, Command, Output> {
  if (!Number.isSafeInteger(delayMax) || delayMax < 0 || delayMax > DURATION_MAX) {
    throw new UsageError(`a longest delay is from 0 to ${DURATION_MAX} microseconds; ${delayMax} given`);
  }
  type State = DelayedState<Inner, Message>;

  /** Runs a handler of the protocol inside, and keeps what it sends. */
  function run(
    before: State | undefined,
    ctx: Context<Message, Output>,
    handler: (inside: Context<Message, Output>) => Inner,
  ): State {
    let { waiting, ids } = before ?? { waiting: [], ids: 0 };
    const send = (to: ProcessId, message: Message): void => {
      const after = Math.floor((delayMax * ctx.choose("delayed/delay", THOUSANDTHS)) / 1000);
      if (after === 0 || waiting.length >= DELAYED_MAX) {
        if (after !== 0) ctx.explain("delayed.full", { to, limit: DELAYED_MAX });
        ctx.send(to, message);
        return;
      }
      ids += 1;
      waiting = [...waiting, { id: ids, to, message }];
      ctx.setTimer(`${TIMER}${ids}`, after);
    };
    const inner = handler(innerContext<Message, Message, Output>(ctx, { send }));
    const same = before !== undefined && inner === before.inner && waiting === before.waiting;
    return same ? before : { inner, waiting, ids };
  }

  return {
    name: `delayed(${protocol.name})`,
    start: (ctx) => run(undefined, ctx, (inside) => protocol.start(inside)),
    onMessage: (state, from, message, ctx) =>
      run(state, ctx, (inside) => protocol.onMessage(state.inner, from, message, inside)),
    onCommand: (state, command, ctx) =>
      run(state, ctx, (inside) => {
        invariant(protocol.onCommand !== undefined, `${protocol.name} takes no commands`);
        return protocol.onCommand(state.inner, command, inside);
      }),
    onTimer: (state, timer, ctx) =>
      timer.startsWith(TIMER)
        ? leave(state, Number(timer.slice(TIMER.length)), ctx)
        : run(state, ctx, (inside) => {
            invariant(
              protocol.onTimer !== undefined,
              `${protocol.name} set timer "${timer}" but has no onTimer`,
            );
            return protocol.onTimer(state.inner, timer, inside);
          }),
    onRestart: (saved, ctx) =>
      run(undefined, ctx, (inside) =>
        protocol.onRestart === undefined ? protocol.start(inside) : protocol.onRestart(saved, inside),
      ),
  };
}

function leave<Inner, Message, Output>(
  state: DelayedState<Inner, Message>,
  id: number,
  ctx: Context<Message, Output>,
): DelayedState<Inner, Message> {
  const due = state.waiting.find((each) => each.id === id);
  invariant(due !== undefined, `message ${id} is due, and does not wait`);
  ctx.send(due.to, due.message);
  return { ...state, waiting: state.waiting.filter((each) => each !== due) };
}

/** A sentence for every rule that `delayed` explains. */
export const delayedNarration: Readonly<Record<string, string>> = {
  "delayed.full": "lets a message to {to} leave at once: {limit} wait to leave already",
};
