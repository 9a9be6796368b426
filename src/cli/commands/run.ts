import { fileURLToPath } from "node:url";
import { formatFaults } from "../../faults/index.js";
import { runForReal } from "../../host/index.js";
import { Judge } from "../../labs/index.js";
import { TRACE_VERSION, type TraceHeader } from "../../trace/index.js";
import { unknownName, UsageError } from "../../core/index.js";
import { type CertificateFlags, checkIsForRun, givenFiles } from "../certificate-files.js";
import { EXIT, exitStatusOf } from "../exit-status.js";
import { Interruption } from "../interruption.js";
import type { RunFlags } from "../program.js";
import { reportJson } from "../report-json.js";
import { readRequest } from "../run-request.js";
import { printOpening, printRun } from "../run-screen.js";
import { checkOut, keepWhole, newTracePath, partOf, pruneTraces, saveLanes } from "../trace-files.js";
import type { Terminal } from "../terminal.js";
import { TRANSPORT_NAMES, transportsWith } from "../transports.js";
import { version } from "../version.js";
import { TemporaryCertificates } from "../write-certificates.js";

const FLAGS = [
  "--processes",
  "--transport",
  "--cert",
  "--key",
  "--ca",
  "--seed",
  "--faults",
  "--duration",
  "--out",
  "--ascii",
  "--json",
];

/** Real processes, real sockets, the lab's faults unless others are asked for; judged while it goes on. */
export async function runCommand(
  args: readonly string[],
  flags: RunFlags & CertificateFlags & { readonly transport: string },
  terminal: Terminal,
): Promise<number> {
  if (!TRANSPORT_NAMES.includes(flags.transport)) {
    throw unknownName("transport", flags.transport, TRANSPORT_NAMES);
  }
  const given = givenFiles(flags);
  if (given !== undefined && flags.transport !== "tls") {
    throw new UsageError(
      `--cert, --key and --ca are for --transport tls; this run goes over ${flags.transport}`,
    );
  }
  terminal.ascii = flags.ascii === true;
  const { lab, reference, settings, faults, duration } = await readRequest(args, flags, {
    usualFaults: true,
    known: FLAGS,
  });
  const header: TraceHeader = {
    format: "lightcone-trace",
    version: TRACE_VERSION,
    lightcone: version(),
    source: "processes",
    lab: reference,
    ...settings,
    faults: formatFaults(faults),
    duration,
    transport: flags.transport,
  };
  if (flags.out !== undefined) await checkOut(flags.out);
  // All processes of a run share one certificate: they are one user's, on one machine, and read the same files.
  using temporary =
    flags.transport === "tls" && given === undefined ? new TemporaryCertificates() : undefined;
  const files = given ?? temporary?.files;
  const transports = transportsWith(files);
  if (files !== undefined) checkIsForRun(files);
  const path = flags.out ?? (await newTracePath(lab.id, settings.seed));
  const judge = new Judge(lab, header);
  let events = 0;
  using interruption = new Interruption();
  const result = await runForReal({
    lab,
    labRef: reference,
    entry: [
      fileURLToPath(new URL("../participant.js", import.meta.url)),
      ...(files === undefined ? [] : ["--cert", files.cert, "--key", files.key, "--ca", files.ca]),
    ],
    ...settings,
    faults,
    duration,
    transport: flags.transport,
    transports,
    lightcone: version(),
    // Until it is whole it must not pass for the last run.
    out: flags.out ?? partOf(path),
    signal: interruption.signal,
    onOpen: () => {
      if (!flags.json) printOpening(lab, header, terminal);
    },
    onEvent: (event) => {
      judge.observe(event);
      if (++events % 16 === 0) terminal.progress(`${events} events, ${(event.at / 1e6).toFixed(1)} s`);
    },
    onNotice: (line) => terminal.complain(`lightcone: ${line}`),
  });
  if (flags.out === undefined) await keepWhole(path);
  await pruneTraces();
  if (flags.outProcesses !== undefined) await saveLanes(result.trace, flags.outProcesses);
  const report = judge.finish(result.trace.end);
  if (flags.json) terminal.print(reportJson(result.trace, report, path));
  else printRun(lab, result.trace, report, path, terminal, flags);
  return interruption.signal.aborted ? EXIT.interrupted : exitStatusOf(report.verdict);
}
