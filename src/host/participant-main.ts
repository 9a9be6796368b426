/*
 * A participant as a program of its own, for tests and for embedding: `node participant-main.js process --control URL
 * --id P2`, with the token in the environment. Knows the labs that are files; the `lightcone` command also has a
 * catalogue.
 */
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { UsageError } from "../core/index.js";
import type { Lab } from "../labs/index.js";
import { tcp, uds } from "../transports/index.js";
import { runParticipant, takeToken } from "./participant.js";

const { values } = parseArgs({
  options: { control: { type: "string" }, id: { type: "string" } },
  allowPositionals: true,
});
if (values.control === undefined || values.id === undefined) {
  throw new UsageError("a participant needs --control URL and --id PROCESS");
}
process.exit(
  await runParticipant({
    control: values.control,
    process: values.id,
    token: takeToken(),
    loadLab: async (path) => {
      const module = (await import(pathToFileURL(path).href)) as { readonly default: Lab };
      return module.default;
    },
    transports: { tcp, uds },
  }),
);
