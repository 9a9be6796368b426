import { formatDuration, MILLISECOND, parseDuration, unknownName, UsageError } from "../core/index.js";
import { SERVICE_DEADLINE_MAX } from "../host/index.js";
import { CLASSIC_FORMATS, type ClassicFormat } from "../interop/index.js";
import { givenFiles, type CertificateFlags } from "./certificate-files.js";

/** The format of the published programs of that service; throws a `UsageError` that names the nearest. */
export function findClassic(service: string): ClassicFormat {
  const found = CLASSIC_FORMATS.find((format) => format.service === service);
  if (found !== undefined) return found;
  throw unknownName(
    "classic service",
    service,
    CLASSIC_FORMATS.map((format) => format.service),
  );
}

/** Throws a `UsageError` for flags that these formats cannot honour. */
export function refuseFramedFlags(flags: CertificateFlags & { readonly data?: string }): void {
  if (flags.data !== undefined) {
    throw new UsageError("--data is not for --classic: its formats cannot repeat a call");
  }
  if (givenFiles(flags) !== undefined) {
    throw new UsageError("--cert, --key and --ca are not for --classic: its formats have no TLS");
  }
}

/** For a call, when no deadline is given. Milliseconds. */
const CALL_MS_MAX = 5_000;

/** The time that `--deadline` gives to a call, in milliseconds; throws a `UsageError` for none or too much. */
export function callMsMax(deadline: string | undefined): number {
  if (deadline === undefined) return CALL_MS_MAX;
  const time = parseDuration(deadline);
  if (time >= MILLISECOND && time <= SERVICE_DEADLINE_MAX) return time / MILLISECOND;
  throw new UsageError(
    `a deadline is at least 1ms and at most ${formatDuration(SERVICE_DEADLINE_MAX)}; ${deadline} given`,
  );
}
