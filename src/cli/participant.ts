/*
 * One participant of `lightcone run`, as a program of its own: `node participant.js --control URL --id P2`, with the
 * token in the environment. It loads what a participant needs and not one file more, because a run waits for dozens
 * of them to start: by the layers' indexes it would load the supervisor and the command line too (some 40 ms each).
 */
import { parseArgs } from "node:util";
import { escapeText, UsageError } from "../core/index.js";
import { runParticipant, takeToken } from "../host/participant.js";
import { givenFiles } from "./certificate-files.js";
import { loadLab } from "./load-lab.js";
import { transportsWith } from "./transports.js";

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      control: { type: "string" },
      id: { type: "string" },
      // For tls:// alone.
      cert: { type: "string" },
      key: { type: "string" },
      ca: { type: "string" },
    },
  });
  const { control, id } = values;
  if (control === undefined || id === undefined) {
    throw new UsageError(
      "a participant takes --control URL and --id PROCESS; lightcone run starts it with both",
    );
  }
  return runParticipant({
    control,
    process: id,
    token: takeToken(),
    loadLab: async (reference) => (await loadLab(reference)).lab,
    transports: transportsWith(givenFiles(values)),
  });
}

try {
  process.exit(await main());
} catch (error) {
  // The supervisor shows the last words of a participant that did not get as far as talking to it.
  console.error(escapeText(error instanceof Error ? error.message : String(error)));
  process.exit(1);
}
