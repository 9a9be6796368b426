import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { labs } from "../src/labs/index.js";
import { lightcone } from "./support/lightcone.js";

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

/** Every `lightcone …` line in a shell block of a page, and in the guides of the labs. */
const commands = new Set([
  ...pages.flatMap((page) => shellLines(readFileSync(join(root, page), "utf8"))),
  ...labs.flatMap((lab) => lab.guide.flatMap(({ command }) => command ?? [])),
]);

describe("every command that a document or a guide shows runs", () => {
  test("there are some", () => expect(commands.size).toBeGreaterThan(10));

  test.each([...commands])("%s", async (command) => {
    const { status, stderr } = await lightcone(wordsOf(command).slice(1), { cwd: place });
    expect(stderr).not.toMatch(/^lightcone: /m);
    // A verdict of any kind; what a lab shows may well be a violation.
    expect([0, 1, 3]).toContain(status);
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

function shellLines(text: string): string[] {
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = ""]) =>
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
