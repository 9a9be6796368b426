import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { checkPackage } from "../../tools/check-package.mjs";
import { type gates, runGate } from "../../tools/lib/gates.mjs";
import { PlantedTree } from "./planted-tree.js";

// A gate that cannot fail is no gate: each is shown what it must catch, and passes without it.

let tree: PlantedTree;
beforeAll(() => {
  tree = new PlantedTree();
});
afterEach(() => tree.clear());
afterAll(() => tree[Symbol.dispose]());

/** What the gate says of the tree; it must complain. */
async function complaint(gate: keyof typeof gates): Promise<string> {
  const { status, output } = await runGate(gate, { cwd: tree.path });
  expect(status).not.toBe(0);
  return output;
}

// That each passes when nothing is planted, `npm test` sees before it comes here: it begins with the gates themselves.

describe("types", () => {
  const pure = [
    "core",
    "clocks",
    "protocols",
    "trace",
    "faults",
    "wire",
    "checkers",
    "diagram",
    "sim",
    "labs",
  ];
  const notPure = {
    "a timer": ["setTimeout(() => {}, 1);", "'setTimeout'"],
    "the console": ["console.log(1);", "'console'"],
    "the process": ["process.exit();", "'process'"],
    "the network": ["void fetch('http://localhost');", "'fetch'"],
    "the page": ["void document;", "'document'"],
    "a file": ["void import('node:fs');", "'node:fs'"],
  } as const;

  test("a pure layer cannot reach a timer, the console, the process, the network, the page or a file", async () => {
    const plants = Object.values(notPure);
    for (const layer of pure) {
      tree.plant(`src/${layer}/planted.ts`, plants.map(([code]) => `${code}\n`).join("") + "export {};\n");
    }
    const output = await complaint("types");
    for (const layer of pure) {
      for (const [index, [, name]] of plants.entries()) {
        expect(output).toMatch(
          new RegExp(`src/${layer}/planted\\.ts\\(${index + 1},\\d+\\): error TS\\d+: .*${name}`),
        );
      }
    }
  });

  test.each([
    ["core", "sim", "import * as other from"],
    ["core", "clocks", "export type * from"],
    ["protocols", "trace", "import"],
    ["checkers", "sim", "export * from"],
    ["transports", "protocols", "export type * from"],
    ["wire", "transports", "import type {} from"],
  ])("%s cannot import %s (%s)", async (layer, other, form) => {
    tree.plant(`src/${layer}/planted.ts`, `${form} "../${other}/index.js";\nexport {};\n`);
    const upward = new RegExp(
      `src/${layer}/planted\\.ts\\(1,.*error TS6307: .*src/${other}/index\\.ts.* not listed`,
    );
    expect(await complaint("types")).toMatch(upward);
  });

  test("what only newer versions of Node have is unknown", async () => {
    tree.plant("src/host/planted.ts", "void Promise.withResolvers;\nexport {};\n");
    expect(await complaint("types")).toMatch(/src\/host\/planted\.ts\(1,\d+\): error .*withResolvers/);
  });

  test("a type error in a test, a tool or a benchmark counts", async () => {
    tree.plant("src/core/planted.test.ts", 'export const planted: number = "text";\n');
    tree.plant("tools/planted.mjs", '/** @type {number} */\nexport const planted = "text";\n');
    tree.plant("bench/planted.ts", 'export const planted: number = "text";\n');
    const output = await complaint("types");
    expect(output).toMatch(/src\/core\/planted\.test\.ts\(1,\d+\): error TS2322/);
    expect(output).toMatch(/tools\/planted\.mjs\(2,\d+\): error TS2322/);
    expect(output).toMatch(/bench\/planted\.ts\(1,\d+\): error TS2322/);
  });
});

describe("lint", () => {
  const floating = "async function work() {}\nexport function planted() {\n  work();\n}\n";
  const plants = [
    ["src/core/planted-date.ts", "export const planted = Date.now();\n", "no-restricted-globals"],
    ["src/sim/planted-random.ts", "export const planted = Math.random();\n", "no-restricted-properties"],
    ["src/wire/planted-import.ts", 'export * from "node:path";\n', "no-restricted-imports"],
    ["src/host/planted-floating.ts", floating, "no-floating-promises"],
    ["src/core/planted-floating.test.ts", floating, "no-floating-promises"],
    ["tools/planted-floating.mjs", floating, "no-floating-promises"],
    ["bench/planted-floating.ts", floating, "no-floating-promises"],
    [
      "src/host/planted-misused.ts",
      "export function planted(items: string[]) {\n  items.forEach(async () => {});\n}\n",
      "no-misused-promises",
    ],
    ["src/host/planted-console.ts", 'console.log("planted");\nexport {};\n', "no-console"],
    ["src/host/planted-any.ts", "export const planted: any = 1;\n", "no-explicit-any"],
    ["src/host/planted-null.ts", "export const planted = [1].at(0)!;\n", "no-non-null-assertion"],
    ["src/host/planted-equal.ts", "export const planted = (a: unknown) => a == 1;\n", "eqeqeq"],
    [
      "src/host/planted-switch.ts",
      'export function planted(kind: "a" | "b") {\n  switch (kind) {\n    case "a":\n      return 1;\n  }\n  return 2;\n}\n',
      "switch-exhaustiveness-check",
    ],
    [
      "src/host/planted-cycle.ts",
      'import { planted as other } from "./planted-cycle-other.js";\nexport const planted = () => other;\n',
      "no-cycle",
    ],
  ] as const;

  test("finds each of the planted mistakes, and nothing else", async () => {
    for (const [file, text] of plants) tree.plant(file, text);
    tree.plant(
      "src/host/planted-cycle-other.ts",
      'import { planted as other } from "./planted-cycle.js";\nexport const planted = () => other;\n',
    );
    const output = stripVTControlCharacters(await complaint("lint"));
    for (const [file, , rule] of plants) {
      const found = findings(output).filter((finding) => finding.includes(`[${file}:`));
      expect(found.join("\n"), file).toContain(`(${rule})`);
    }
    const elsewhere = findings(output).filter((finding) => !finding.includes("planted"));
    expect(elsewhere).toEqual([]);
  });

  const findings = (output: string) => output.split("\n\n").filter((part) => /\[\S+:\d+:\d+\]/.test(part));
});

test("unused code: an export that nobody imports, and a file that nothing reaches", async () => {
  tree.plant("bench/planted.ts", 'import { used } from "./parts/planted.js";\nexport default used;\n');
  tree.plant("bench/parts/planted.ts", "export const used = 1;\nexport const unusedExport = 2;\n");
  tree.plant("bench/parts/planted-unreached.ts", "export const unreached = 1;\n");
  const output = await complaint("unused code");
  expect(output).toMatch(/unusedExport .*bench\/parts\/planted\.ts/);
  expect(output).toContain("bench/parts/planted-unreached.ts");
  expect(output).not.toMatch(/^used /m);
});

test("unused code: a dependency that nothing imports", async () => {
  const manifest: unknown = JSON.parse(readFileSync(join(tree.path, "package.json"), "utf8"));
  tree.plant("package.json", JSON.stringify({ ...Object(manifest), dependencies: { "left-pad": "1.3.0" } }));
  expect(await complaint("unused code")).toContain("left-pad");
});

test("format: a file written another way", async () => {
  tree.plant("src/core/planted.ts", "export  const planted=1\n");
  tree.plant("docs/planted.md", "# Title\n* one\n* two\n");
  const output = await complaint("format");
  expect(output).toContain("src/core/planted.ts");
  expect(output).toContain("docs/planted.md");
});

describe("package", () => {
  // The tree has no compiled files until the types have been checked.
  beforeAll(async () => {
    await runGate("types", { cwd: tree.path });
  });

  test("a module that an export names is missing", async () => {
    tree.remove("dist/wire/index.js");
    const problem = await checkPackage(tree.path);
    expect(problem).toContain("a subpath of the package cannot be imported");
    expect(problem).toContain("dist/wire/index.js");
  });

  test("declarations are missing, and an import is not among the dependencies", async () => {
    tree.remove("dist/wire/index.d.ts");
    tree.plant("dist/faults/index.js", 'import "vitest";\n');
    const problem = await checkPackage(tree.path);
    expect(problem).toContain("Cannot find package 'vitest'");
    expect(problem).toMatch(/publint found:[^]*dist\/wire\/index\.d\.ts/);
    expect(problem).toMatch(/attw found:/);
  });
});
