import { unknownName, type Context, type ProcessId, type Protocol } from "../../core/index.js";
import {
  mayAcquire,
  mayRelease,
  mutexNarration,
  type MutexCommand,
  type MutexOutput,
  type MutexStatus,
  type Stamp,
} from "./mutex.js";

/** What a process knows: of the tree only its own neighbours. */
export interface RaymondState {
  readonly status: MutexStatus;
  /** Number of its last request; its requests count from 1. */
  readonly number: number;
  /** The neighbour in whose direction the privilege is, or the process itself; `null` once a crash took that along. */
  readonly holder: ProcessId | null;
  /** Who waits for the privilege to come by here: neighbours, and the process itself. */
  readonly queue: readonly ProcessId[];
  /** Whether `holder` has been asked, on behalf of the head of the queue. */
  readonly asked: boolean;
  /** How often the privilege had been passed when it last came here; a repetition of it is none. */
  readonly passes: number;
  /** Entries the privilege had allowed when it last came here, and since. */
  readonly entries: number;
}

export type RaymondMessage =
  | { readonly kind: "request" }
  | { readonly kind: "privilege"; readonly passes: number; readonly entries: number };

/** Shapes of tree: the paper's star, the binary tree, and the line, its worst. */
export type TreeShape = (typeof TREE_SHAPES)[number];

export const TREE_SHAPES = ["binary", "star", "line"] as const;

/**
 * Mutual exclusion by a privilege that travels along a tree: at most twice the tree's diameter in messages per entry.
 *
 * A process knows its neighbours alone. Needs reliable links; tolerates any delivery order. A crash takes along what
 * the process knew, and cuts the tree there: those beyond wait for ever. Throws a `UsageError` for an unknown shape.
 * Source: K. Raymond, "A Tree-Based Algorithm for Distributed Mutual Exclusion", TOCS 7(1), 1989, without §5, recovery.
 */
export function raymond(
  shape: string = "binary",
): Protocol<RaymondState, RaymondMessage, MutexCommand, MutexOutput> {
  const tree = treeShape(shape);
  return {
    name: "raymond",

    start: (ctx) => ({ ...NOTHING, holder: towardsFirst(tree, ctx) }),

    onCommand(state, command, ctx) {
      switch (command.kind) {
        case "acquire":
          return request(state, ctx);
        case "release":
          return exit(state, ctx);
      }
    },

    onMessage(state, from, message, ctx) {
      switch (message.kind) {
        case "request":
          return onRequest(state, from, ctx);
        case "privilege":
          return onPrivilege(state, from, message.passes, message.entries, ctx);
      }
    },

    // A privilege that was here is lost with the process, and never doubled.
    onRestart: (saved) => ({ ...NOTHING, ...(isDurable(saved) && saved) }),
  };
}

const NOTHING: RaymondState = {
  status: "idle",
  number: 0,
  holder: null,
  queue: [],
  asked: false,
  passes: 0,
  entries: 0,
};

type RaymondContext = Context<RaymondMessage, MutexOutput>;

/** The paper's procedures ASSIGN_PRIVILEGE and MAKE_REQUEST, which it runs after every event. */
function proceed(state: RaymondState, ctx: RaymondContext): RaymondState {
  return ask(assign(state, ctx), ctx);
}

function assign(state: RaymondState, ctx: RaymondContext): RaymondState {
  const [head, ...queue] = state.queue;
  if (state.holder !== ctx.self || state.status === "inside" || head === undefined) return state;
  if (head === ctx.self) return enter({ ...state, queue, asked: false }, ctx);
  ctx.explain("raymond.pass", { peer: head });
  ctx.send(head, { kind: "privilege", passes: state.passes + 1, entries: state.entries });
  return { ...state, queue, asked: false, holder: head };
}

function ask(state: RaymondState, ctx: RaymondContext): RaymondState {
  const { holder, queue, asked } = state;
  if (holder === ctx.self || holder === null || queue.length === 0 || asked) return state;
  ctx.explain("raymond.ask", { peer: holder, queue });
  ctx.send(holder, { kind: "request" });
  return { ...state, asked: true };
}

function request(state: RaymondState, ctx: RaymondContext): RaymondState {
  if (!mayAcquire(state.status, ctx)) return state;
  const number = state.number + 1;
  ctx.output({ kind: "requested", stamp: [number, ctx.self] });
  const next: RaymondState = { ...state, status: "waiting", number, queue: [...state.queue, ctx.self] };
  return proceed(saved(next, ctx), ctx);
}

function onRequest(state: RaymondState, from: ProcessId, ctx: RaymondContext): RaymondState {
  if (state.queue.includes(from)) {
    ctx.explain("raymond.queued-already", { peer: from });
    return state;
  }
  ctx.explain("raymond.queue", { peer: from });
  return proceed({ ...state, queue: [...state.queue, from] }, ctx);
}

function onPrivilege(
  state: RaymondState,
  from: ProcessId,
  passes: number,
  entries: number,
  ctx: RaymondContext,
): RaymondState {
  if (passes <= state.passes) {
    ctx.explain("raymond.refuse", { peer: from });
    return state;
  }
  return proceed(saved({ ...state, holder: ctx.self, passes, entries }, ctx), ctx);
}

function enter(state: RaymondState, ctx: RaymondContext): RaymondState {
  const own: Stamp = [state.number, ctx.self];
  const entries = state.entries + 1;
  ctx.explain("raymond.enter", { own });
  ctx.output({ kind: "entered", stamp: own, fence: entries });
  return { ...state, status: "inside", entries };
}

function exit(state: RaymondState, ctx: RaymondContext): RaymondState {
  if (!mayRelease(state.status, ctx)) return state;
  ctx.output({ kind: "exited", stamp: [state.number, ctx.self] });
  return proceed({ ...state, status: "idle" }, ctx);
}

/** What must survive a crash, so that a privilege handed over once more to a new incarnation is refused. */
type Durable = Pick<RaymondState, "number" | "passes">;

function saved(state: RaymondState, ctx: RaymondContext): RaymondState {
  const durable: Durable = { number: state.number, passes: state.passes };
  ctx.save(durable);
  return state;
}

function isDurable(value: unknown): value is Durable {
  return typeof value === "object" && value !== null && "number" in value && "passes" in value;
}

/** The neighbour on the way to the first process, where the privilege begins; the first process itself there. */
function towardsFirst(shape: TreeShape, ctx: Pick<RaymondContext, "self" | "processes">): ProcessId {
  const place = ctx.processes.indexOf(ctx.self);
  return ctx.processes[place === 0 ? 0 : parentOf(shape, place)] ?? ctx.self;
}

function parentOf(shape: TreeShape, place: number): number {
  switch (shape) {
    case "binary":
      return Math.floor((place - 1) / 2);
    case "star":
      return 0;
    case "line":
      return place - 1;
  }
}

/** The longest way between two of `processes` in a tree of that shape, in messages. */
export function treeDiameter(shape: string, processes: number): number {
  switch (treeShape(shape)) {
    case "star":
      return Math.min(2, processes - 1);
    case "line":
      return processes - 1;
    case "binary": {
      // From the last leaf over the root to the deepest leaf of the other side.
      const depth = (place: number) => Math.floor(Math.log2(place + 1));
      const deepest = depth(processes - 1);
      const firstOfLast = 2 ** deepest - 1;
      const rightReaches = processes - 1 >= firstOfLast + 2 ** deepest / 2 && deepest > 0;
      return deepest + (rightReaches && processes > 2 ? deepest : Math.max(0, deepest - 1));
    }
  }
}

function treeShape(name: string): TreeShape {
  const found = TREE_SHAPES.find((shape) => shape === name);
  if (found === undefined) throw unknownName("tree", name, TREE_SHAPES);
  return found;
}

/** A sentence for every rule above; the process itself is the subject. */
export const raymondNarration: Readonly<Record<string, string>> = {
  ...mutexNarration,
  "raymond.ask": "asks {peer}, in whose direction the privilege is; in its queue wait: {queue}",
  "raymond.queue": "puts {peer} into its queue",
  "raymond.queued-already": "has {peer} in its queue already",
  "raymond.pass": "passes the privilege to {peer}, the first in its queue",
  "raymond.refuse": "refuses a privilege of {peer} that has come before",
  "raymond.enter": "has the privilege, is the first in its own queue, and enters with {own}",
};
