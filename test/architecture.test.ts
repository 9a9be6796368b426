import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../tools/lib/run.mjs";

interface Layer {
  readonly name: string;
  readonly pure: boolean;
  /** Runs in a browser and may use it. */
  readonly browser: boolean;
  readonly imports: readonly string[];
}

/** The rows of ARCHITECTURE.md's table of layers, in order. */
function describedLayers(): Layer[] {
  const rows = readFileSync(join(root, "ARCHITECTURE.md"), "utf8").matchAll(
    /^\| `([a-z-]+)` +\| (.) +\|[^|]+\|([^|]*)\|$/gm,
  );
  return [...rows].map(([, name = "", mark, imports = ""]) => ({
    name,
    pure: mark === "∘",
    browser: mark === "◇",
    imports: imports
      .split(",")
      .map((each) => each.trim())
      .filter((each) => each !== ""),
  }));
}

interface Project {
  readonly compilerOptions: { readonly types?: readonly string[]; readonly lib?: readonly string[] };
  readonly references: readonly { readonly path: string }[];
}

function projectOf(folder: string): Project {
  return JSON.parse(readFileSync(join(root, folder, "tsconfig.json"), "utf8")) as Project;
}

const layers = describedLayers();
const names = layers.map(({ name }) => name);

test("the table of layers names each folder of src, and nothing else", () => {
  const folders = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  expect(names.toSorted()).toEqual(folders.map((entry) => entry.name).toSorted());
});

test("the build compiles each layer, in the table's order", () => {
  expect(projectOf("src").references.map(({ path }) => path)).toEqual(names);
});

test.each(layers)("$name may import what the table says", ({ name, imports }) => {
  const references = projectOf(`src/${name}`).references.map(({ path }) => path.replace("../", ""));
  expect(references).toEqual(imports);
});

test.each(layers)("$name imports only layers above it in the table", ({ name, imports }) => {
  for (const imported of imports) expect(names.indexOf(imported)).toBeLessThan(names.indexOf(name));
  expect(imports).toEqual(imports.toSorted((a, b) => names.indexOf(a) - names.indexOf(b)));
});

test.each(layers)("$name is pure or not, as the table says", ({ name, pure, browser, imports }) => {
  const { types = [], lib = [] } = projectOf(`src/${name}`).compilerOptions;
  expect(types).toEqual(pure || browser ? [] : ["node"]);
  expect(lib.includes("dom")).toBe(browser);
  if (pure) {
    for (const imported of imports) expect(layers.find((layer) => layer.name === imported)?.pure).toBe(true);
  }
});

test("the linter's rules for pure layers apply to exactly those", () => {
  const { overrides } = JSON.parse(readFileSync(join(root, ".oxlintrc.json"), "utf8")) as {
    overrides: { files: string[]; rules: Record<string, unknown> }[];
  };
  const forPure = overrides.find(({ rules }) => "no-restricted-globals" in rules);
  const pure = layers.filter((layer) => layer.pure).map((layer) => `src/${layer.name}/**/*.ts`);
  expect(forPure?.files).toEqual(pure);
});

test("every layer but the command is a subpath of the package", () => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: object };
  const subpaths = names.filter((name) => name !== "cli").map((name) => `./${name}`);
  expect(Object.keys(manifest.exports)).toEqual([".", ...subpaths, "./package.json"]);
});
