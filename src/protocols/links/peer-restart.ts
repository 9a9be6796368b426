import type { Context, ProcessId } from "../../core/index.js";

/**
 * What a protocol inside `reliable` may add to hear that a peer runs in a new incarnation.
 *
 * `undelivered` are the messages, in the order sent, that no incarnation of the peer acknowledged. A protocol with
 * this handler sends again what the new incarnation should get; for one without it the link sends all of them. `fifo`
 * needs it: what it numbered for the dead incarnation has to be numbered anew.
 */
export interface PeerRestartAware<State, Message, Output> {
  onPeerRestart?(
    state: State,
    peer: ProcessId,
    epoch: number,
    undelivered: readonly Message[],
    ctx: Context<Message, Output>,
  ): State;
}
