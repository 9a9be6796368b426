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

/** Throws `UsageError`, with the flag and the file, for what cannot be read or does not fit this machine. */
export function readCertificates(files: CertificateFiles): { cert: string; key: string; ca: string } {
  const [cert, key, ca] = [read("--cert", files.cert), read("--key", files.key), read("--ca", files.ca)];
  checkIsForHere(cert, files.cert);
  return { cert, key, ca };
}

function read(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UsageError(`${flag}: cannot read ${path}: ${codeOf(cause)}`, { path }, { cause });
  }
}

/** The processes of a run meet at 127.0.0.1; better said now than by every one of them. */
function checkIsForHere(cert: string, path: string): void {
  let parsed: X509Certificate;
  try {
    parsed = new X509Certificate(cert);
  } catch {
    // The transport says what is wrong with it.
    return;
  }
  if (new Date(parsed.validTo) < new Date()) {
    throw new UsageError(
      `--cert: ${path} expired on ${parsed.validTo}; lightcone certificates DIR makes a new one`,
    );
  }
  if (parsed.checkIP("127.0.0.1") === undefined) {
    throw new UsageError(
      `--cert: ${path} is not for 127.0.0.1, where the processes of a run meet; lightcone certificates DIR makes one that is`,
    );
  }
}

/** The system's own code, for what it refused. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
