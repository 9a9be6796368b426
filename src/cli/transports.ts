import { createTlsTransport, fifo, tcp, udp, uds, ws, type TransportTable } from "../transports/index.js";
import { unknownName, UsageError } from "../core/index.js";
import {
  type CertificateFiles,
  type CertificateFlags,
  givenFiles,
  readCertificates,
} from "./certificate-files.js";

/** The transports that need nothing to be set up. */
const TRANSPORTS: TransportTable = { tcp, uds, fifo, udp, ws };

/** What `--transport` may name. */
export const TRANSPORT_NAMES: readonly string[] = [...Object.keys(TRANSPORTS), "tls"];

/** The transports; `tls` among them when there are certificates for it. Throws `UsageError` for unusable ones. */
export function transportsWith(files: CertificateFiles | undefined): TransportTable {
  return files === undefined
    ? TRANSPORTS
    : { ...TRANSPORTS, tls: createTlsTransport(readCertificates(files)) };
}

/**
 * The transports for a service at `url`. Throws `UsageError` for a tls:// address without the three files, and for files
 * that no address of that kind would look at.
 */
export function transportsFor(url: string, flags: CertificateFlags): TransportTable {
  const files = givenFiles(flags);
  const scheme = /^([a-z][a-z0-9+.-]*):/.exec(url)?.[1];
  if (scheme !== undefined && !TRANSPORT_NAMES.includes(scheme))
    throw unknownName("transport", scheme, TRANSPORT_NAMES);
  const isTls = url.startsWith("tls:");
  if (isTls && files === undefined) {
    throw new UsageError(
      `${url} takes --cert, --key and --ca; lightcone certificates DIR makes all three files`,
    );
  }
  if (!isTls && files !== undefined) {
    throw new UsageError(`--cert, --key and --ca are for tls:// addresses; ${url} is none`);
  }
  return transportsWith(files);
}
