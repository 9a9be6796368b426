import { escapeText } from "../core/index.js";
import { dialError, systemCode, TransportError } from "./transport-error.js";

// What OpenSSL and Node say when a handshake fails, in words; everything that a peer wrote is escaped.

const DETAIL_LENGTH_MAX = 300;

/** What an error of `tls.connect` means to whoever dialled. */
export function tlsDialError(cause: Error, address: string): TransportError {
  const code = systemCode(cause);
  const about = certificateFault(cause);
  if (about !== undefined) return badCertificate(`${address}: its certificate ${about}`, address, cause);
  const complaint = complaintAboutUs(code);
  if (complaint !== undefined) return badCertificate(`${address} ${complaint}`, address, cause);
  if (isNoTls(code)) {
    return new TransportError(
      "bad-magic",
      `${address} does not speak TLS; is it a plain tcp:// address?`,
      { address, code },
      { cause },
    );
  }
  if (isOtherVersion(code)) {
    return new TransportError("version", `${address} does not speak TLS 1.3`, { address, code }, { cause });
  }
  if (code === "ECONNRESET" || code === "EPIPE") {
    return new TransportError(
      "refused",
      `${address} ended the connection during its TLS handshake`,
      { address },
      { cause },
    );
  }
  if (code.startsWith("ERR_SSL_")) {
    return new TransportError(
      "bad-magic",
      `${address}: the TLS handshake failed: ${code}`,
      { address, code },
      { cause },
    );
  }
  return dialError(cause, address);
}

/**
 * In TLS 1.3 a client is done before the server has looked at its certificate, so a refusal comes afterwards: as an
 * alert, or, from Node, as the bare end of the connection.
 */
export function tlsEndError(cause: Error | undefined, address: string): TransportError {
  const complaint = complaintAboutUs(systemCode(cause));
  if (complaint !== undefined) return badCertificate(`${address} ${complaint}`, address, cause);
  return new TransportError(
    "refused",
    `${address} ended the connection after TLS began; if it always does, it does not accept this side's certificate`,
    { address },
    { cause },
  );
}

/** What an error of `tls.Server` means to whoever listens; `verifyCode` is what was wrong with the client's certificate. */
export function tlsClientError(cause: Error, verifyCode: string | undefined, remote: string): TransportError {
  const code = systemCode(cause);
  const facts = { remote, code };
  if (verifyCode !== undefined) {
    return badCertificate(`${remote}: its certificate ${inWords(verifyCode)}`, remote, cause);
  }
  if (code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") {
    return badCertificate(`${remote} has no certificate, and every peer needs one here`, remote, cause);
  }
  const complaint = complaintAboutUs(code);
  if (complaint !== undefined) return badCertificate(`${remote} ${complaint}`, remote, cause);
  if (code === "ERR_TLS_HANDSHAKE_TIMEOUT") {
    return new TransportError("handshake-timeout", `${remote} did not finish its TLS handshake`, facts, {
      cause,
    });
  }
  if (isNoTls(code)) return new TransportError("bad-magic", `${remote} does not speak TLS`, facts, { cause });
  if (isOtherVersion(code)) {
    return new TransportError("version", `${remote} does not speak TLS 1.3`, facts, { cause });
  }
  if (!code.startsWith("ERR_")) {
    return new TransportError("closed", `${remote} left during the TLS handshake`, facts, { cause });
  }
  return new TransportError("bad-magic", `${remote}: the TLS handshake failed: ${code}`, facts, { cause });
}

function badCertificate(message: string, address: string, cause: Error | undefined): TransportError {
  return new TransportError("bad-certificate", message, { address, code: systemCode(cause) }, { cause });
}

/** Why we do not accept the peer's certificate, or `undefined` when that is not what happened. */
function certificateFault(cause: Error): string | undefined {
  const code = systemCode(cause);
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return `is for another name: ${reasonOf(cause)}`;
  if (VERIFY_WORDS.has(code) || /^(?:UNABLE_TO|CERT|CRL|ERROR_IN)_/.test(code)) return inWords(code);
  // Node has names for the common ones only; OpenSSL's own text says which of the others it was.
  return code === "UNSPECIFIED" ? `cannot be verified: ${shortened(cause.message)}` : undefined;
}

function inWords(verifyCode: string): string {
  const words = VERIFY_WORDS.get(verifyCode);
  return words ?? `cannot be verified: ${shortened(verifyCode.toLowerCase().replaceAll("_", " "))}`;
}

const VERIFY_WORDS: ReadonlyMap<string, string> = new Map([
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "is of an authority that is not trusted here"],
  ["UNABLE_TO_GET_ISSUER_CERT", "is of an authority that is not trusted here"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "is of an authority that is not trusted here"],
  ["CERT_SIGNATURE_FAILURE", "was not signed by the authority that it names"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "is of an authority that is not trusted here (self-signed)"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "is self-signed, and not trusted here"],
  ["CERT_HAS_EXPIRED", "has expired"],
  ["CERT_NOT_YET_VALID", "is not valid yet; is a clock wrong?"],
  ["CERT_REVOKED", "has been revoked"],
  ["INVALID_PURPOSE", "is not meant for this end of a connection"],
  ["INVALID_CA", "was signed by a certificate that may not sign others"],
]);

function reasonOf(cause: Error): string {
  return "reason" in cause && typeof cause.reason === "string" ? shortened(cause.reason) : "";
}

function shortened(text: string): string {
  return escapeText(text.slice(0, DETAIL_LENGTH_MAX));
}

/** What the peer's alert says about our certificate. */
function complaintAboutUs(code: string): string | undefined {
  const alert = /^ERR_SSL_(?:SSLV3|TLSV1|TLSV13)_ALERT_([A-Z_]+)$/.exec(code)?.[1];
  switch (alert) {
    case "CERTIFICATE_REQUIRED":
      return "wants a certificate, and this side has none";
    case "UNKNOWN_CA":
    case "BAD_CERTIFICATE":
    case "UNSUPPORTED_CERTIFICATE":
    case "CERTIFICATE_REVOKED":
    case "CERTIFICATE_EXPIRED":
    case "CERTIFICATE_UNKNOWN":
    case "ACCESS_DENIED":
      return `does not accept this side's certificate: ${alert.toLowerCase().replaceAll("_", " ")}`;
    default:
      return undefined;
  }
}

function isNoTls(code: string): boolean {
  return (
    code === "ERR_SSL_WRONG_VERSION_NUMBER" ||
    code === "ERR_SSL_HTTP_REQUEST" ||
    code === "ERR_SSL_HTTPS_PROXY_REQUEST" ||
    code === "ERR_SSL_PACKET_LENGTH_TOO_LONG" ||
    code === "ERR_SSL_RECORD_LAYER_FAILURE" ||
    code === "ERR_SSL_UNEXPECTED_MESSAGE"
  );
}

function isOtherVersion(code: string): boolean {
  return (
    code === "ERR_SSL_UNSUPPORTED_PROTOCOL" ||
    code === "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" ||
    code === "ERR_SSL_NO_PROTOCOLS_AVAILABLE" ||
    code === "ERR_SSL_VERSION_TOO_LOW"
  );
}
