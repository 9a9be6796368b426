import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { root } from "../../tools/lib/run.mjs";

/** A copy of this project, outside of it, in which a test plants what a gate must catch. */
export class PlantedTree implements Disposable {
  readonly path: string;
  readonly #undo: (() => void)[] = [];

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), "lightcone-gates-"));
    cpSync(root, this.path, {
      recursive: true,
      filter: (source) => !leftOut.test(relative(root, source)),
    });
    symlinkSync(join(root, "node_modules"), join(this.path, "node_modules"), "junction");
  }

  /** Writes a file, until {@link clear}. */
  plant(file: string, text: string): void {
    const path = join(this.path, file);
    const before = textOf(path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    this.#undo.push(() => (before === undefined ? rmSync(path) : writeFileSync(path, before)));
  }

  /** Takes a file away, until {@link clear}. */
  remove(file: string): void {
    const path = join(this.path, file);
    const before = readFileSync(path, "utf8");
    rmSync(path);
    this.#undo.push(() => writeFileSync(path, before));
  }

  /** Back to the copy as it was. */
  clear(): void {
    for (const undo of this.#undo.splice(0).reverse()) undo();
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

const leftOut = /^(\.git|node_modules|dist|coverage|\.bench|\.mutants|\.setup\.lock.*)$/;

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
