import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";
import { UsageError } from "../core/index.js";
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  time,
  utf8String,
} from "./der.js";

// X.509 v3 certificates as in RFC 5280, with ECDSA over P-256: what every TLS 1.3 implementation must have (RFC 8446, 9.1).

/** A certificate and the private key that belongs to it, both PEM. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  /** The subject's common name: for people, nothing is decided by it. */
  readonly name: string;
  /** DNS names and IP addresses that it is valid for; none at all for who only dials. */
  readonly hosts: readonly string[];
  /** Default: five minutes ago, because clocks differ. */
  readonly notBefore?: Date;
  /** Default: in 90 days. */
  readonly notAfter?: Date;
  /** Default: a new pair on P-256. */
  readonly keys?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
}

/** Signs certificates. Its key never leaves this object, so what it has not signed it never will once it is gone. */
export interface Authority extends Certified {
  /** Makes a certificate for both ends of a connection: server and client. Throws `UsageError` for an unusable host. */
  issue(request: CertificateRequest): Certified;
}

const DAY_MS = 86_400_000;

/** Days that a certificate is valid unless asked otherwise. */
export const CERTIFICATE_DAYS = 90;

/**
 * A certificate authority for development and for the length of a run.
 *
 * `cert` is what the others are to trust; `key` is there for whoever must sign later, too, and better not kept.
 */
export function createAuthority(options: Partial<Omit<CertificateRequest, "hosts">> = {}): Authority {
  const { name = "Lightcone development authority", keys = newKeys() } = options;
  const authority = { name, privateKey: keys.privateKey, keyId: keyIdOf(keys.publicKey) };
  const cert = certificate(authority, keys.publicKey, { ...options, name }, [
    extension(BASIC_CONSTRAINTS, true, sequence(boolean(true))),
    // keyCertSign alone: bit 5.
    extension(KEY_USAGE, true, bitString(Uint8Array.of(0x04), 2)),
  ]);
  return {
    cert,
    key: pemKey(keys.privateKey),
    issue(request) {
      const pair = request.keys ?? newKeys();
      return {
        cert: certificate(authority, pair.publicKey, request, [
          extension(BASIC_CONSTRAINTS, true, sequence()),
          // digitalSignature: bit 0.
          extension(KEY_USAGE, true, bitString(Uint8Array.of(0x80), 7)),
          extension(
            EXTENDED_KEY_USAGE,
            false,
            sequence(objectIdentifier(SERVER_AUTH), objectIdentifier(CLIENT_AUTH)),
          ),
          ...(request.hosts.length === 0
            ? []
            : [extension(SUBJECT_ALT_NAME, false, sequence(...request.hosts.map(generalName)))]),
        ]),
        key: pemKey(pair.privateKey),
      };
    },
  };
}

const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";
const SUBJECT_KEY_ID = "2.5.29.14";
const KEY_USAGE = "2.5.29.15";
const SUBJECT_ALT_NAME = "2.5.29.17";
const BASIC_CONSTRAINTS = "2.5.29.19";
const AUTHORITY_KEY_ID = "2.5.29.35";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

interface Issuer {
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly keyId: Uint8Array;
}

function certificate(
  issuer: Issuer,
  publicKey: KeyObject,
  request: Omit<CertificateRequest, "hosts">,
  extensions: readonly Uint8Array[],
): string {
  const now = Date.now();
  const { notBefore = new Date(now - 300_000), notAfter = new Date(now + CERTIFICATE_DAYS * DAY_MS) } =
    request;
  const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const toBeSigned = sequence(
    explicit(0, integer(Uint8Array.of(2))), // v3
    integer(serialNumber()),
    algorithm,
    distinguishedName(issuer.name),
    sequence(time(notBefore), time(notAfter)),
    distinguishedName(request.name),
    publicKey.export({ type: "spki", format: "der" }),
    explicit(
      3,
      sequence(
        extension(SUBJECT_KEY_ID, false, octetString(keyIdOf(publicKey))),
        extension(AUTHORITY_KEY_ID, false, sequence(implicit(0, issuer.keyId))),
        ...extensions,
      ),
    ),
  );
  const signature = sign("sha256", toBeSigned, { key: issuer.privateKey, dsaEncoding: "der" });
  return pem("CERTIFICATE", sequence(toBeSigned, algorithm, bitString(signature)));
}

function newKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

/** Positive, unguessable, and so never the same twice. */
function serialNumber(): Uint8Array {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

/** Any value will do as long as both certificates say the same. */
function keyIdOf(publicKey: KeyObject): Uint8Array {
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest()
    .subarray(0, 20);
}

function distinguishedName(commonName: string): Uint8Array {
  return sequence(setOf(sequence(objectIdentifier(COMMON_NAME), utf8String(commonName))));
}

function extension(id: string, critical: boolean, content: Uint8Array): Uint8Array {
  // FALSE is the default, and DER leaves defaults out.
  return sequence(objectIdentifier(id), ...(critical ? [boolean(true)] : []), octetString(content));
}

function generalName(host: string): Uint8Array {
  if (isIPv4(host)) return implicit(7, Uint8Array.from(host.split("."), Number));
  if (isIPv6(host) && !host.includes("%")) return implicit(7, ipv6Bytes(host));
  if (
    /^(?=.{1,253}$)(?:\*\.)?(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)(?:\.(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?))*$/.test(
      host,
    )
  )
    return implicit(2, Buffer.from(host, "ascii"));
  throw new UsageError(
    `a certificate is for DNS names and IP addresses such as localhost, 10.0.0.7 or ::1; got ${JSON.stringify(host)}`,
    { host },
  );
}

function ipv6Bytes(address: string): Uint8Array {
  // URL parsing gives the canonical form: no dotted part, at most one "::".
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap = Array.from({ length: tail === undefined ? 0 : 8 - front.length - back.length }, () => "0");
  const bytes = Buffer.alloc(16);
  [...front, ...gap, ...back].forEach((group, i) => bytes.writeUInt16BE(parseInt(group, 16), i * 2));
  return bytes;
}

function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString("base64")
    .replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

function pemKey(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
