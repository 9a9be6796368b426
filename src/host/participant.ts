import { UsageError, unknownName, type LightconeError, type ProcessId } from "../core/index.js";
import { parseFaults } from "../faults/index.js";
import type { Lab } from "../labs/index.js";
import type { Transport, TransportTable } from "../transports/index.js";
import { PARTICIPANT_EXIT, TOKEN_VARIABLE } from "./child.js";
import {
  CONTROL_MS_MAX,
  ControlChannel,
  type Configuration,
  type FromParticipant,
  type FromSupervisor,
} from "./control.js";
import { HostError, messageOf, safeText } from "./errors.js";
import { Mesh } from "./mesh.js";
import { placeInUserFile } from "./place-in-user-file.js";
import { ProcessHost } from "./process-host.js";
import { FileRecorder } from "./recorder.js";
import { RunClock } from "./run-clock.js";
import { FileStore } from "./store.js";

export interface ParticipantOptions {
  /** Address of the supervisor's control socket, such as `uds:///run/user/1000/lc-…/c`. */
  readonly control: string;
  readonly process: ProcessId;
  /** From {@link takeToken}. */
  readonly token: string;
  /** Turns a lab's id or the path of a lab file into the lab; the same that the supervisor runs. */
  readonly loadLab: (lab: string) => Promise<Lab>;
  /** Must hold the control transport (`uds`) and the one that the run uses. */
  readonly transports: TransportTable;
}

/** The control token that the supervisor gave by environment; takes it out, so that nothing started later inherits it. */
export function takeToken(): string {
  const token = process.env[TOKEN_VARIABLE];
  delete process.env[TOKEN_VARIABLE];
  if (token === undefined || token === "") {
    throw new UsageError(`no control token; a supervisor gives it in the environment as ${TOKEN_VARIABLE}`);
  }
  return token;
}

/**
 * One participant, until its run is over. Resolves to the exit status for its operating-system process: 0 after an
 * orderly stop, 1 when it failed, 69 when the supervisor is gone, 143 after SIGTERM.
 *
 * Ignores SIGINT, which a terminal sends to the whole group: the supervisor decides. SIGTERM ends it in order.
 */
export async function runParticipant(options: ParticipantOptions): Promise<number> {
  const transport = transportFor(options.transports, schemeOf(options.control));
  const connection = await transport.dial(options.control, {
    connectMsMax: CONTROL_MS_MAX,
    handshakeMsMax: CONTROL_MS_MAX,
  });
  const participant = new Participant(options);
  const channel = ControlChannel.ofParticipant(connection, (message) => participant.onMessage(message));
  return participant.run(channel);
}

class Participant {
  readonly #options: ParticipantOptions;
  readonly #clock = new RunClock();
  #channel: ControlChannel<FromParticipant, FromSupervisor> | undefined;
  #host: ProcessHost | undefined;
  #mesh: Mesh | undefined;
  #recorder: FileRecorder | undefined;
  #finish: (status: number) => void = () => {};

  constructor(options: ParticipantOptions) {
    this.#options = options;
  }

  async run(channel: ControlChannel<FromParticipant, FromSupervisor>): Promise<number> {
    this.#channel = channel;
    const over = new Promise<number>((resolve) => (this.#finish = resolve));
    const ignore = (): void => {};
    const stop = (): void => this.#finish(PARTICIPANT_EXIT.terminated);
    process.on("SIGINT", ignore);
    process.on("SIGTERM", stop);
    // The supervisor is gone, by whatever way: nobody would ever end this process.
    void channel.closed.then(() => this.#finish(PARTICIPANT_EXIT.alone));
    channel.send({
      kind: "hello",
      process: this.#options.process,
      pid: process.pid,
      token: this.#options.token,
    });
    const status = await over;
    await this.#close();
    process.off("SIGINT", ignore);
    process.off("SIGTERM", stop);
    return status;
  }

  onMessage(message: FromSupervisor): void {
    switch (message.kind) {
      case "configure":
        this.#configure(message.configuration).catch((error: unknown) => this.#fail(error));
        return;
      case "peers":
        for (const peer of message.peers) this.#mesh?.reach(peer);
        void this.#mesh
          ?.connected(message.peers.map((peer) => peer.process))
          .then(() => this.#send({ kind: "connected" }));
        return;
      case "go":
        this.#clock.begin(message.epoch);
        this.#host?.start();
        return;
      case "command":
        this.#host?.command(message.command);
        return;
      case "poll":
        this.#report(message.poll);
        return;
      case "peer-down": {
        this.#mesh?.giveUp(message.process);
        const waiting = this.#host?.peerDown(message.process) ?? [];
        this.#host?.flush();
        this.#send({
          kind: "peer-lost",
          process: message.process,
          number: this.#host?.number ?? 0,
          waiting: [...waiting],
        });
        return;
      }
      case "stop":
        this.#finish(PARTICIPANT_EXIT.done);
        return;
    }
  }

  async #configure(configuration: Configuration): Promise<void> {
    const { processes, options, seed, incarnation, saved, vector } = configuration;
    const lab = await this.#options.loadLab(configuration.lab);
    const transport = transportFor(this.#options.transports, configuration.transport);
    this.#recorder = new FileRecorder(configuration.traceFile);
    const host = new ProcessHost({
      protocol: lab.protocol({ processes, options, seed }),
      self: this.#options.process,
      processes,
      seed,
      clock: this.#clock,
      faults: parseFaults(configuration.faults, processes),
      recorder: this.#recorder,
      store: new FileStore(configuration.savedFile),
      incarnation,
      firstNumber: configuration.firstNumber,
      ...(vector !== undefined && { vector }),
      ...(saved !== undefined && { saved }),
      listener: {
        onRecordedForUser: () => this.#send({ kind: "recorded", bytes: this.#recorder?.bytes ?? 0 }),
        onNotReceived: (from, send) => this.#send({ kind: "not-received", from, send }),
        onNotSaved: (reason) => this.#send({ kind: "not-saved", reason: safeText(reason, 500) }),
        onTrouble: (error) => this.#trouble(error),
        onFailure: (error) => this.#fail(error),
      },
    });
    this.#host = host;
    this.#mesh = await Mesh.open({
      transport,
      listen: configuration.listen,
      self: this.#options.process,
      processes,
      incarnation,
      token: configuration.meshToken,
      user: host,
      onTrouble: (error) => this.#trouble(error),
    });
    this.#send({ kind: "listening", address: this.#mesh.address });
  }

  #report(poll: number): void {
    const host = this.#host;
    if (host === undefined) return;
    // Whatever is reported must be readable by the time the report arrives.
    host.flush();
    const { timers, held, commands, number, links } = host.status();
    this.#send({
      kind: "status",
      poll,
      status: { timers, held, commands, number, bytes: this.#recorder?.bytes ?? 0, links: [...links] },
    });
  }

  #trouble(error: LightconeError): void {
    this.#send({ kind: "trouble", message: safeText(error.message, 1_000) });
  }

  #fail(error: unknown): void {
    const cause = error instanceof HostError && error.code === "not-saved" ? "not-written" : "protocol";
    const place = placeInUserFile(error);
    const message = `${messageOf(error)}${place === undefined ? "" : ` (${place})`}`;
    this.#send({ kind: "failed", cause, message: safeText(message, 1_000) });
    this.#finish(PARTICIPANT_EXIT.failed);
  }

  #send(message: FromParticipant): void {
    try {
      this.#channel?.send(message);
    } catch {
      // The connection is over, which ends this process: see `closed` in run().
    }
  }

  async #close(): Promise<void> {
    this.#host?.[Symbol.dispose]();
    this.#recorder?.[Symbol.dispose]();
    await this.#mesh?.[Symbol.asyncDispose]();
    await this.#channel?.close();
  }
}

function schemeOf(address: string): string {
  return address.slice(0, Math.max(0, address.indexOf("://")));
}

function transportFor(transports: TransportTable, scheme: string): Transport {
  const transport = transports[scheme];
  if (transport === undefined) throw unknownName("transport", scheme, Object.keys(transports));
  return transport;
}
