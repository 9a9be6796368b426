import { existsSync, lstatSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../core/index.js";
import { makeFolder, RunFolder } from "../host/index.js";
import { createAuthority } from "../transports/index.js";
import { type CertificateFiles, codeOf } from "./certificate-files.js";

/** What every certificate of ours is for: this machine, as it calls itself. */
export const LOCAL_HOSTS: readonly string[] = ["localhost", "127.0.0.1", "::1"];

/**
 * A throw-away authority and one certificate of it, in a private folder that goes when it is disposed of, or, after a
 * `kill -9`, with the next run.
 */
export class TemporaryCertificates implements Disposable {
  readonly files: CertificateFiles;
  readonly #folder: RunFolder;

  constructor() {
    this.#folder = RunFolder.create();
    this.files = writeCertificates(this.#folder.path, LOCAL_HOSTS);
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

/**
 * Makes an authority and a certificate for `hosts` and writes `ca.pem`, `cert.pem` and `key.pem` (mode 0600) to
 * `folder`, which is created with mode 0700. The authority's own key is kept nowhere: nobody can sign with it later.
 *
 * Throws `UsageError` when one of the files is there already, or others could read the folder.
 */
export function writeCertificates(folder: string, hosts: readonly string[]): CertificateFiles {
  makePrivate(folder);
  const files = {
    cert: join(folder, "cert.pem"),
    key: join(folder, "key.pem"),
    ca: join(folder, "ca.pem"),
  };
  for (const file of Object.values(files)) {
    if (existsSync(file))
      throw new UsageError(`${file} is there already; remove it or name another folder`, { file });
  }
  const authority = createAuthority();
  const { cert, key } = authority.issue({ name: "Lightcone", hosts });
  // "wx" neither replaces a file nor follows a link.
  writeFileSync(files.key, key, { mode: 0o600, flag: "wx" });
  writeFileSync(files.cert, cert, { mode: 0o644, flag: "wx" });
  writeFileSync(files.ca, authority.cert, { mode: 0o644, flag: "wx" });
  return files;
}

function makePrivate(folder: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new UsageError(`cannot make the folder ${folder}: ${codeOf(cause)}`, { folder }, { cause });
  }
  const found = lstatSync(folder);
  const foreign = process.getuid !== undefined && found.uid !== process.getuid();
  if (foreign || (process.getuid !== undefined && (found.mode & 0o077) !== 0)) {
    throw new UsageError(`others can read ${folder}; take a new folder, or chmod 700 it`, { folder });
  }
}
