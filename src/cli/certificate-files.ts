import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { UsageError } from "../core/index.js";

/** Paths of the files that TLS needs, all PEM. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** `--cert FILE --key FILE --ca FILE`, as commander gives them. */
export type CertificateFlags = Partial<CertificateFiles>;

/** The three flags, or `undefined` when none was given; throws `UsageError` for some of them. */
export function givenFiles({ cert, key, ca }: CertificateFlags): CertificateFiles | undefined {
  if (cert !== undefined && key !== undefined && ca !== undefined) return { cert, key, ca };
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  throw new UsageError(
    "--cert, --key and --ca go together; lightcone certificates DIR makes all three files",
  );
}

/** Throws `UsageError`, with the flag and the file, for what cannot be read or has expired. */
export function readCertificates(files: CertificateFiles): { cert: string; key: string; ca: string } {
  const [cert, key, ca] = [read("--cert", files.cert), read("--key", files.key), read("--ca", files.ca)];
  checkStillValid(cert, files.cert);
  return { cert, key, ca };
}

function read(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UsageError(`${flag}: cannot read ${path}: ${codeOf(cause)}`, { path }, { cause });
  }
}

function checkStillValid(cert: string, path: string): void {
  const parsed = parse(cert);
  if (parsed !== undefined && new Date(parsed.validTo) < new Date()) {
    throw new UsageError(
      `--cert: ${path} expired on ${parsed.validTo}; lightcone certificates DIR makes a new one`,
    );
  }
}

/** The processes of a run meet at 127.0.0.1; better said once, before they start, than by every one of them. */
export function checkIsForRun({ cert: path }: CertificateFiles): void {
  const parsed = parse(read("--cert", path));
  if (parsed !== undefined && parsed.checkIP("127.0.0.1") === undefined) {
    throw new UsageError(
      `--cert: ${path} is not for 127.0.0.1, where the processes of a run meet; lightcone certificates DIR makes one that is`,
    );
  }
}

/** `undefined` for what is none: the transport says what is wrong with it. */
function parse(cert: string): X509Certificate | undefined {
  try {
    return new X509Certificate(cert);
  } catch {
    return undefined;
  }
}

/** The system's own code, for what it refused. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
