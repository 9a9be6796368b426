import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { performance } from "node:perf_hooks";
import type { TraceHeader } from "../trace/index.js";
import type { Exit } from "./child.js";
import type { PeerAddress } from "./control.js";
import { meshAddress } from "./mesh-address.js";
import type { RunFolder } from "./run-folder.js";
import type { RealRunOptions } from "./run-options.js";
import type { Supervised } from "./supervised.js";

/** Participants that start at the same time, on a machine of few cores. */
const AT_ONCE_MIN = 4;

export interface LauncherOptions {
  readonly run: RealRunOptions;
  readonly header: TraceHeader;
  readonly folder: RunFolder;
  readonly all: readonly Supervised[];
  /** The present process of a participant has ended. */
  readonly onExit: (one: Supervised, exit: Exit) => void;
  /** It is connected to all that can be reached, and runs as soon as it is told to. */
  readonly onReady: (one: Supervised) => void;
}

/**
 * Brings participants to where they can run: starts their operating-system processes, tells each its part, and tells
 * them of each other. At the start nobody hears of anybody until all listen; a participant that comes back later and
 * those that are there hear of each other at once.
 */
export class Launcher {
  /** Who knows it may speak on the control connection. */
  readonly controlToken = randomBytes(32).toString("hex");
  readonly #meshToken = randomBytes(32).toString("hex");
  readonly #options: LauncherOptions;
  /** Not started yet, in order. */
  readonly #waiting: Supervised[];
  #first = true;
  #over = false;

  constructor(options: LauncherOptions) {
    this.#options = options;
    this.#waiting = [...options.all];
  }

  /** Starts as many at once as the cores can use: more would only delay each other, and this process too. */
  launch(): void {
    const atOnceMax = Math.max(AT_ONCE_MIN, 2 * availableParallelism());
    let starting = this.#options.all.filter((one) => one.phase === "starting").length;
    while (!this.#over && starting++ < atOnceMax) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.spawn(next);
    }
  }

  /** Starts the process of the participant's present incarnation. */
  spawn(one: Supervised): void {
    const { run, folder, onExit } = this.#options;
    const child = one.spawn(
      {
        entry: run.entry,
        control: folder.controlAddress(),
        process: one.process,
        token: this.controlToken,
      },
      performance.now(),
    );
    if (child.pid !== undefined) folder.noteChild(one.index, child.pid);
    void child.exited.then((exit) => {
      if (one.child !== child) return;
      one.exit = exit;
      child.release();
      onExit(one, exit);
    });
  }

  /** It has introduced itself on the control connection. */
  configure(one: Supervised): void {
    const { run, header, folder } = this.#options;
    const { transport = "tcp", faults } = header;
    one.send({
      kind: "configure",
      configuration: {
        lab: run.labRef,
        processes: [...run.processes],
        options: { ...run.options },
        seed: run.seed,
        faults,
        transport,
        listen: meshAddress(transport, folder.path, one.index, one.incarnation),
        incarnation: one.incarnation,
        firstNumber: one.lane.number + 1,
        ...(one.lane.vector !== undefined && { vector: [...one.lane.vector] }),
        ...(one.lane.saved !== undefined && { saved: one.lane.saved }),
        traceFile: one.lane.path,
        savedFile: folder.savedFile(one.index),
        meshToken: this.#meshToken,
      },
    });
  }

  listening(one: Supervised, address: string): void {
    one.address = address;
    if (one.phase !== "starting") return;
    one.phase = "listening";
    if (this.#first) this.#introduceAll();
    else this.#introduce(one);
    this.launch();
  }

  connected(one: Supervised): void {
    if (one.phase !== "connecting" || one.address === "") return;
    one.phase = "running";
    this.#options.onReady(one);
  }

  /** Nothing more is started. */
  stop(): void {
    this.#over = true;
  }

  #introduceAll(): void {
    const { all } = this.#options;
    if (!all.every((one) => one.phase === "listening")) return;
    this.#first = false;
    for (const one of all) {
      one.phase = "connecting";
      one.heardMs = performance.now();
      one.send({ kind: "peers", peers: all.filter((other) => other !== one).map(addressOf) });
    }
  }

  #introduce(one: Supervised): void {
    one.phase = "connecting";
    const others = this.#options.all.filter((other) => other !== one && other.isReachable);
    for (const other of others) other.send({ kind: "peers", peers: [addressOf(one)] });
    one.send({ kind: "peers", peers: others.map(addressOf) });
  }
}

function addressOf({ process, incarnation, address }: Supervised): PeerAddress {
  return { process, incarnation, address };
}
