/*
 * Running for real. Three ways in:
 *
 * - `runForReal(options)` is the supervisor behind `lightcone run`: it starts one operating-system process for each
 *   participant and gives the trace. See `RealRunOptions` and `RunResult`.
 * - `runParticipant(options)` is one participant, started as `node ENTRY --control URL --id P2`: the program given as
 *   `entry` calls `process.exit(await runParticipant({ control, process, token: takeToken(), loadLab, transports }))`.
 * - `ProcessHost` and `Mesh` run participants inside a program of one's own, without a supervisor.
 */
export * from "./errors.js";
export {
  connectChat,
  type ChatClient,
  type ChatClientOptions,
  type ChatError,
  type ChatEvent,
} from "./chat-client.js";
export { HistoryError, type HistoryErrorCode } from "./chat-history.js";
export { serveChat, type ChatServer, type ChatServerOptions } from "./chat-server.js";
export * from "./connect.js";
export { type Hello, type Refusal, type Welcome } from "./hello.js";
export { makeFolder } from "./make-folder.js";
export { HELLO_MS_MAX, Mesh, STRANGERS_MAX, type MeshOptions, type MeshUser } from "./mesh.js";
export { RECORDED_VECTOR_MAX } from "./journal.js";
export { BUFFERED_BYTES_MAX, WAITING_BYTES_MAX, WAITING_MAX } from "./outbox.js";
export * from "./participant.js";
export { placeInUserFile } from "./place-in-user-file.js";
export * from "./process-host.js";
export { ProtocolRunner, type RunnerSurroundings } from "./protocol-runner.js";
export * from "./recorder.js";
export { monotonicMicroseconds, RunClock } from "./run-clock.js";
export { removeLeftovers, RunFolder } from "./run-folder.js";
export {
  REAL_PROCESSES_MAX,
  type ProcessReport,
  type RealRunOptions,
  type RunResult,
} from "./run-options.js";
export * from "./store.js";
export * from "./service-log.js";
export { STREAM_AHEAD, type ServiceStream } from "./service-stream.js";
export * from "./service-store.js";
export * from "./serve.js";
export { ServiceError, SERVICE_WINDOW } from "./service-frames.js";
export { runForReal } from "./supervisor.js";
