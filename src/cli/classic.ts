import { unknownName } from "../core/index.js";
import { CLASSIC_FORMATS, type ClassicFormat } from "../interop/index.js";

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
