import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { EXIT } from "../exit-status.js";
import type { Terminal } from "../terminal.js";
import { LOCAL_HOSTS, writeCertificates } from "../write-certificates.js";

/** A development authority and a certificate of it, as files for `--cert --key --ca`. */
export function certificatesCommand(
  folder: string,
  options: { readonly host?: readonly string[]; readonly json?: true },
  terminal: Terminal,
): number {
  const hosts = [...new Set([...LOCAL_HOSTS, ...(options.host ?? [])])];
  const files = writeCertificates(folder, hosts);
  const validTo = new Date(new X509Certificate(readFileSync(files.cert)).validTo).toISOString();
  if (options.json) terminal.print(JSON.stringify({ ...files, hosts, validTo }));
  else {
    terminal.print(`A certificate for ${hosts.join(", ")}, until ${validTo.slice(0, 10)}:`);
    terminal.print(`  ${files.cert}`);
    terminal.print(`  ${files.key}    its private key: for you alone`);
    terminal.print(
      `  ${files.ca}    the authority that signed it; its own key was not kept, it signs nothing else`,
    );
    terminal.print();
    terminal.print(terminal.style("Next", "strong"));
    terminal.print(
      `  lightcone run ricart-agrawala --transport tls --cert ${files.cert} --key ${files.key} --ca ${files.ca}`,
    );
  }
  return EXIT.pass;
}
