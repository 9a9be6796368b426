import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv4 } from "node:net";
import { escapeText, Random, UsageError, type ProcessId } from "../../core/index.js";
import { ProtocolRunner } from "../../host/index.js";
import {
  ClassicFormatError,
  decodeClassicMessage,
  encodeClassicMessage,
  type ClassicMessage,
} from "../../interop/index.js";
import { delayedCausalBroadcast, say, VECTOR_CLOCKS_LAYER } from "../../labs/index.js";
import { parseToDial } from "../../transports/index.js";
import { ClassicOutgoing } from "./classic-outgoing.js";
import { counted } from "./counted.js";
import { utteranceOf } from "./frames.js";
import { checkText, type Participant } from "./participant.js";
import { nameOf, type ProcessSettings } from "./settings.js";
import type { Stamped, Story } from "./story.js";

/** Messages that wait for predecessors; a further one is ignored, and so is one that is further ahead than this. */
export const CLASSIC_PENDING_MAX = 1_000;

/** Ignored datagrams are told one by one up to so many in {@link IGNORED_MS}; then they are counted. */
const IGNORED_TOLD_MAX = 5;
const IGNORED_MS = 1_000;

/**
 * A process of a classic group: datagrams of text, without acknowledgements. Delivery follows the right rule, so it
 * goes on where the classic rule of equal vectors would wait for ever.
 *
 * A message for one process leaves for the others too, without its content: otherwise all that follows would wait for
 * it. Rejects with a `UsageError` when an address cannot be used.
 */
export async function openClassic(
  settings: ProcessSettings,
  story: Story,
  onFailure: (error: Error) => void,
): Promise<Participant> {
  const listening = await listen(settings.listen);
  const { socket, host, port } = listening;
  const outgoing = new Map<ProcessId, ClassicOutgoing>();
  const participant = new ClassicProcess(settings, story, isIPv4(host) ? host : "127.0.0.1", outgoing);
  try {
    for (const { process, address } of settings.peers) {
      outgoing.set(process, await openOutgoing(process, address, settings.retriesMax, story));
    }
  } catch (error) {
    socket.close();
    for (const way of outgoing.values()) await way[Symbol.asyncDispose]();
    throw error;
  }
  socket.on("message", (datagram) => participant.receive(datagram));
  socket.on("error", onFailure);
  return {
    address: `udp://${host}:${port}`,
    say: (text, to) => participant.say(text, to),
    async [Symbol.asyncDispose]() {
      participant[Symbol.dispose]();
      socket.close();
      for (const way of outgoing.values()) await way[Symbol.asyncDispose]();
    },
  };
}

class ClassicProcess implements Disposable {
  readonly #settings: ProcessSettings;
  readonly #story: Story;
  /** What this process says its address is. */
  readonly #address: string;
  readonly #outgoing: ReadonlyMap<ProcessId, ClassicOutgoing>;
  readonly #runner;
  #ignored = 0;
  #ignoredTimer: NodeJS.Timeout | undefined;

  constructor(
    settings: ProcessSettings,
    story: Story,
    address: string,
    outgoing: ReadonlyMap<ProcessId, ClassicOutgoing>,
  ) {
    this.#settings = settings;
    this.#story = story;
    this.#address = address;
    this.#outgoing = outgoing;
    const { self, processes, delayMax, seed } = settings;
    const random = Random.stream(seed, `choose:${self}:0`);
    this.#runner = new ProtocolRunner(delayedCausalBroadcast(delayMax, CLASSIC_PENDING_MAX), {
      self,
      processes,
      incarnation: 0,
      pick: (_name, count) => random.below(count),
      send: (to, message) => this.#send(to, message),
      observe: (effect) => {
        if (effect.kind === "explain") story.explained(effect.rule, effect.terms);
        else if (effect.layer === VECTOR_CLOCKS_LAYER)
          story.delivered(effect.from, effect.sequence, utteranceOf(effect.message));
      },
    });
  }

  say(text: string, to?: ProcessId): void {
    checkText(text);
    const { id, processes } = this.#settings;
    // As long as it will be when it leaves, or longer: its vector is the present one, and its own entry one more.
    const vector = processes.map((process, i) => this.#story.countOf(process) + (i === id ? 1 : 0));
    try {
      encodeClassicMessage({ content: text, pid: id, address: this.#address, vector });
    } catch (error) {
      if (!(error instanceof ClassicFormatError)) throw error;
      throw new UsageError(error.message, {}, { cause: error });
    }
    this.#runner.command(say(text, to));
  }

  receive(datagram: Uint8Array): void {
    const { processes } = this.#settings;
    let message: ClassicMessage;
    try {
      message = decodeClassicMessage(datagram, processes.length);
    } catch (error) {
      if (!(error instanceof ClassicFormatError)) throw error;
      this.#ignore(error.message);
      return;
    }
    const from = nameOf(message.pid);
    const problem = this.#problemOf(from, message);
    if (problem !== undefined) {
      this.#ignore(problem);
      return;
    }
    this.#story.peer(from, "here");
    this.#outgoing.get(from)?.hurry();
    const { vector, content } = message;
    const payload = content === "" ? {} : { text: content };
    this.#story.arrived({ stamp: vector, payload });
    this.#runner.message(from, { kind: "broadcast", stamp: vector, payload });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#ignoredTimer);
    this.#runner[Symbol.dispose]();
  }

  /** Why no process of this group has sent it. */
  #problemOf(from: ProcessId, { vector }: ClassicMessage): string | undefined {
    const { self, processes } = this.#settings;
    if (from === self) return `it claims to be of ${self}, this process`;
    for (const [i, process] of processes.entries()) {
      const [claimed = 0, here] = [vector[i], this.#story.countOf(process)];
      if (process === self && claimed > here) {
        return `its sender claims ${claimed} messages of ${self}, which has sent ${here}`;
      }
      if (claimed > here + CLASSIC_PENDING_MAX) {
        return `its vector is ${claimed - here} messages of ${process} ahead; at most ${CLASSIC_PENDING_MAX}`;
      }
    }
    return undefined;
  }

  #send(to: ProcessId, message: Stamped): void {
    const { stamp, payload } = message;
    const bytes = encodeClassicMessage({
      content: payload.text ?? "",
      pid: this.#settings.id,
      address: this.#address,
      vector: stamp,
    });
    const taken = this.#outgoing.get(to)?.send(bytes, () => this.#story.left(to, message));
    if (taken !== true) this.#story.line(`a message for ${to} is lost: too many wait for it already`, "bad");
  }

  #ignore(why: string): void {
    this.#ignored++;
    if (this.#ignored <= IGNORED_TOLD_MAX) this.#story.line(`ignored a datagram: ${escapeText(why)}`, "warn");
    this.#ignoredTimer ??= setTimeout(() => {
      const untold = this.#ignored - IGNORED_TOLD_MAX;
      this.#ignored = 0;
      this.#ignoredTimer = undefined;
      if (untold > 0)
        this.#story.line(`ignored ${counted(untold, "more datagram", "more datagrams")}`, "warn");
    }, IGNORED_MS).unref();
  }
}

async function listen(address: string): Promise<{ socket: Socket; host: string; port: number }> {
  const { host, port } = portOf(address);
  const socket = createSocket("udp4");
  try {
    socket.bind(port, host);
    await once(socket, "listening");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const why = code === "EADDRINUSE" ? "is in use by another process" : `cannot be used (${code})`;
    throw new UsageError(`--listen: ${address} ${why}; choose another`, { address }, { cause: error });
  }
  const bound = socket.address();
  return { socket, host: bound.address, port: bound.port };
}

/** Port 0, which the system chooses, is for listening only. */
function portOf(address: string): { host: string; port: number } {
  const anyPort = /^(.*):0$/.exec(address);
  return anyPort === null
    ? parseToDial("udp", address)
    : { ...parseToDial("udp", `${anyPort[1]}:1`), port: 0 };
}

async function openOutgoing(
  peer: ProcessId,
  address: string,
  retriesMax: number,
  story: Story,
): Promise<ClassicOutgoing> {
  try {
    return await ClassicOutgoing.open({
      ...parseToDial("udp", address),
      retriesMax,
      onGaveUp(attempts, kept) {
        const tried = `nobody took it in ${counted(attempts, "retry", "retries")}`;
        story.peer(peer, "given-up", tried);
        const waiting = counted(kept, "message waits", "messages wait");
        story.line(`gives up on ${peer}: ${tried}; ${waiting} for its return`, "bad");
      },
      onTaken() {
        story.peer(peer, "here");
        story.line(`${peer} takes messages again`, "good");
      },
    });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--peer ${address}: no address for that host`, { address }, { cause: error });
  }
}
