import { escapeText } from "../core/index.js";
import type { CertificateFiles } from "./certificate-files.js";

/** Flags that a caller needs because the server was started with them. */
export interface CallLineFlags extends Partial<CertificateFiles> {
  readonly classic?: true;
  readonly base64?: true;
}

/** The command that reaches a server, for people to copy into a shell: words are quoted where they need it. */
export function callLine(words: readonly string[], to: string, flags: CallLineFlags = {}): string {
  const { classic, base64, cert, key, ca } = flags;
  const more = [
    ...(classic === true ? ["--classic"] : []),
    ...(base64 === true ? ["--base64"] : []),
    "--to",
    to,
    ...Object.entries({ cert, key, ca }).flatMap(([name, file]) =>
      file === undefined ? [] : [`--${name}`, file],
    ),
  ];
  return escapeText(["lightcone", ...words, ...more].map(shellWord).join(" "));
}

/** A word that a POSIX shell takes as it is. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
