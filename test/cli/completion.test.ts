import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lightcone, mainFile } from "../support/lightcone.js";

const place = mkdtempSync(join(tmpdir(), "lightcone-completion-"));
const bin = join(place, "bin");

beforeAll(() => {
  mkdirSync(bin);
  writeFileSync(join(bin, "lightcone"), `#!/bin/sh\nexec "${process.execPath}" "${mainFile}" "$@"\n`);
  chmodSync(join(bin, "lightcone"), 0o755);
});

afterAll(() => rmSync(place, { recursive: true }));

const installed = installedShells();

describe.skipIf(!installed.has("bash"))("bash, without the bash-completion package", () => {
  test("completes labs, options of a lab, transports and shells", () => {
    expect(inBash(["run", "ric"])).toEqual(["ricart-agrawala"]);
    expect(inBash(["sim", "ricart-agrawala", "--ent"])).toEqual(["--entries"]);
    expect(inBash(["run", "ricart-agrawala", "--transport", ""])).toEqual([
      "tcp",
      "uds",
      "fifo",
      "udp",
      "ws",
      "tls",
    ]);
    // As bash splits --transport=u.
    expect(inBash(["run", "ricart-agrawala", "--transport", "=", "u"])).toEqual(["uds", "udp"]);
    expect(inBash(["completion", ""])).toEqual(["bash", "zsh", "fish"]);
    expect(inBash(["sh"])).toEqual(["show"]);
  });

  test("evaluates nothing that stands on the line", () => {
    const words = ["run", "$(touch made)", "`touch made`", "x; touch made", "ric"];
    for (let length = 2; length <= words.length; length++) inBash(words.slice(0, length));
    expect(existsSync(join(place, "made"))).toBe(false);
  });

  test("may be sourced twice, and says nothing", () => {
    expect(bash("source <(lightcone completion bash)\nsource <(lightcone completion bash)")).toBe("");
  });

  test("gives no names of files itself, so that readline adds and quotes them", () => {
    writeFileSync(join(place, "my run.trace"), "");
    expect(inBash(["show", "my"])).toEqual([]);
  });
});

describe.each(["zsh", "fish"])("%s", (shell) => {
  test.skipIf(!installed.has(shell))("reads its script", async () => {
    const { stdout } = await lightcone(["completion", shell]);
    writeFileSync(join(place, `script.${shell}`), stdout);
    execFileSync(shell, ["-n", join(place, `script.${shell}`)]);
  });

  test("never evaluates", async () => {
    const { stdout } = await lightcone(["completion", shell]);
    expect(stdout).toContain("lightcone complete -- ");
    expect(stdout).not.toMatch(/\beval\b/);
  });
});

describe("lightcone complete", () => {
  test.each([
    [["show", ""], [":files"]],
    [["check", "--lab", ""], [":files"]],
    [["run", "./"], [":files"]],
    [
      ["run", "ricart-agrawala", "--faults", ""],
      ["none", ":files"],
    ],
    [["run", "ricart-agrawala", "--seed", ""], []],
    [
      ["run", "ricart-agrawala", "--transport=t"],
      ["--transport=tcp", "--transport=tls"],
    ],
    [["show", "--as", "--as"], ["--ascii"]],
    [["show", "--ascii", "--as"], []],
    [["nonsense", ""], []],
  ])("%j", async (words, expected) => {
    const { status, stdout, stderr } = await lightcone(["complete", "--", ...words]);
    expect(stdout.split("\n").flatMap((line) => (line === "" ? [] : [line.split("\t")[0]]))).toEqual(
      expected,
    );
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });

  test("offers every command that --help names", async () => {
    const { stdout } = await lightcone(["complete", "--", ""]);
    const offered = stdout.split("\n").map((line) => line.split("\t")[0]);
    const help = (await lightcone(["--help"])).stdout;
    const named = [...(help.split("Commands:")[1] ?? "").matchAll(/^ {2}([a-z-]+)/gm)].map(
      ([, name]) => name,
    );
    expect(named.length).toBeGreaterThan(8);
    expect(offered).toEqual(expect.arrayContaining(named));
    expect(offered).not.toContain("complete");
  });

  test("does not run a lab file that stands on the line", async () => {
    const lab = join(place, "lab.mjs");
    writeFileSync(
      lab,
      `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(join(place, "ran"))}, "");`,
    );
    await lightcone(["complete", "--", "run", lab, "--"]);
    expect(existsSync(join(place, "ran"))).toBe(false);
  });
});

test("completion --help tells what it takes", async () => {
  const { status, stdout } = await lightcone(["completion", "--help"]);
  expect(stdout).toContain("bash, zsh or fish");
  expect(status).toBe(0);
});

/** What the function of the script offers at the last of the words. */
function inBash(words: readonly string[]): string[] {
  const quoted = ["lightcone", ...words].map((word) => `'${word}'`).join(" ");
  const shown = bash(
    `source <(lightcone completion bash)\nCOMP_WORDS=(${quoted})\nCOMP_CWORD=${words.length}\n` +
      `_lightcone lightcone\nprintf '%s\\n' "\${COMPREPLY[@]}"`,
  );
  return shown.split("\n").filter((line) => line !== "");
}

/** Standard output and standard error of a script, run without the user's own settings. */
function bash(script: string): string {
  return execFileSync("bash", ["--noprofile", "--norc", "-c", `exec 2>&1\n${script}`], {
    cwd: place,
    encoding: "utf8",
    env: { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}` },
  });
}

function installedShells(): ReadonlySet<string> {
  const found = ["bash", "zsh", "fish"].filter((shell) => {
    try {
      execFileSync(shell, ["-c", ":"]);
      return true;
    } catch {
      return false; // Not on this machine.
    }
  });
  return new Set(found);
}
