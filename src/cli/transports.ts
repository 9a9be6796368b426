import { createTlsTransport, tcp, uds, ws, type TransportTable } from "../transports/index.js";
import { type CertificateFiles, readCertificates } from "./certificate-files.js";

/** The transports that need nothing to be set up. */
export const TRANSPORTS: TransportTable = { tcp, uds, ws };

/** What `--transport` may name. */
export const TRANSPORT_NAMES: readonly string[] = [...Object.keys(TRANSPORTS), "tls"];

/** The transports; `tls` among them when there are certificates for it. Throws `UsageError` for unusable ones. */
export function transportsWith(files: CertificateFiles | undefined): TransportTable {
  return files === undefined
    ? TRANSPORTS
    : { ...TRANSPORTS, tls: createTlsTransport(readCertificates(files)) };
}
