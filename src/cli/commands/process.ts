import { UsageError } from "../../core/index.js";
import { runParticipant, takeToken } from "../../host/index.js";
import { type CertificateFlags, givenFiles } from "../certificate-files.js";
import { loadLab } from "../load-lab.js";
import { transportsWith } from "../transports.js";

/** One participant of a run; `lightcone run` starts these and tells them everything over the control connection. */
export async function processCommand(
  options: CertificateFlags & { readonly control?: string; readonly id?: string },
): Promise<number> {
  const { control, id } = options;
  if (control === undefined || id === undefined) {
    throw new UsageError(
      "lightcone process takes --control URL and --id PROCESS; lightcone run starts it with both",
    );
  }
  return runParticipant({
    control,
    process: id,
    token: takeToken(),
    loadLab: async (reference) => (await loadLab(reference)).lab,
    transports: transportsWith(givenFiles(options)),
  });
}
