import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { labs } from "../src/labs/index.js";
import { lightcone, start, type Started } from "./support/lightcone.js";

const root = join(import.meta.dirname, "..");
const place = mkdtempSync(join(tmpdir(), "lightcone-docs-"));

const pages = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", ...pagesBelow("docs")];

beforeAll(async () => {
  symlinkSync(join(root, "examples"), join(place, "examples"));
  // The documents speak of a trace that the reader already has.
  const made = await lightcone(["sim", "ricart-agrawala", "--seed", "7", "--out", join(place, "run.trace")]);
  expect(made.status).toBe(0);
});

afterAll(() => rmSync(place, { recursive: true }));

/** The shell blocks of the pages and the commands of the guides: what a reader types in order, one after the other. */
const sessions = new Map<string, readonly string[]>();
for (const lines of [
  ...pages.flatMap((page) => shellBlocks(readFileSync(join(root, page), "utf8"))),
  ...labs.flatMap((lab) => lab.guide.flatMap(({ command }) => (command === undefined ? [] : [[command]]))),
]) {
  // Commands that end by themselves need nobody; those beside a server need the server.
  if (lines.some(staysUp)) sessions.set(lines.join(" ; "), lines);
  else for (const line of lines) sessions.set(line, [line]);
}

describe("every command that a document or a guide shows runs", () => {
  test("there are some", () => expect(sessions.size).toBeGreaterThan(10));

  test.each([...sessions])("%s", async (_title, lines) => {
    const ports = await freePorts(lines);
    const servers: Started[] = [];
    try {
      for (const line of lines) {
        const here = line
          .replaceAll(PORT, (_all, port: string) => `:${ports.get(port)}`)
          // That the command works is the claim here; what a thousand seeds say, the labs' own tests say.
          .replace(/--seeds \d{3,}/, "--seeds 20");
        const args = wordsOf(here).slice(1);
        if (staysUp(line)) {
          const server = start(args, { cwd: place });
          servers.push(server);
          await server.shown(/\S/);
          continue;
        }
        const { status, stderr } = await lightcone(args, { cwd: place });
        expect(stderr).not.toMatch(/^lightcone: /m);
        // A verdict of any kind; what a lab shows may well be a violation.
        expect([0, 1, 3]).toContain(status);
      }
    } finally {
      for (const server of servers) server.signal("SIGINT");
    }
    for (const { ended } of servers) expect((await ended).status).toBe(0);
  });
});

describe("every file that a document links to is there", () => {
  test.each(pages)("%s", (page) => {
    const text = readFileSync(join(root, page), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const file = relative(root, join(root, dirname(page), target));
      expect(existsAs(file), `${page} links to ${target}`).toBe(true);
    }
  });
});

/** The `lightcone …` lines of each shell block of a page. */
function shellBlocks(text: string): string[][] {
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = ""]) =>
    block
      .split("\n")
      .map((line) =>
        line
          .replace(/^\$ /, "")
          .replace(/\s+#.*$/, "")
          .trim(),
      )
      .filter((line) => line.startsWith("lightcone ") && !line.includes("<(")),
  );
}

/** Commands that run until Ctrl-C. */
function staysUp(line: string): boolean {
  return /^lightcone (serve|process) /.test(line);
}

const PORT = /(?<=\d):(\d{4,5})\b/g;

/** A port of its own for each that the lines name, so that no two tests want the same. */
async function freePorts(lines: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const named = new Set(lines.flatMap((line) => [...line.matchAll(PORT)].map(([, port = ""]) => port)));
  const ports = new Map<string, number>();
  const holders = [...named].map(async (port) => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const address = holder.address();
    if (typeof address === "object" && address !== null) ports.set(port, address.port);
    return holder;
  });
  for (const holder of await Promise.all(holders)) await new Promise((resolve) => holder.close(resolve));
  return ports;
}

/** Splits a line as a shell does, as far as the documents need it: spaces and single quotes. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
}

function pagesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function existsAs(file: string): boolean {
  try {
    readdirSync(join(root, file));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOTDIR";
  }
}
