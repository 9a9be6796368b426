import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { lightcone, stateHome } from "../support/lightcone.js";

const folder = join(stateHome, "certificates");
const filesIn = (where: string): string[] =>
  ["cert", "key", "ca"].flatMap((name) => [`--${name}`, join(where, `${name}.pem`)]);

// Where runs make their private folders: all of them ours, so that one left behind is seen.
const runtime = join(stateHome, "run");
mkdirSync(runtime, { mode: 0o700 });
const before = process.env["XDG_RUNTIME_DIR"];
process.env["XDG_RUNTIME_DIR"] = runtime;
afterAll(() => {
  if (before === undefined) delete process.env["XDG_RUNTIME_DIR"];
  else process.env["XDG_RUNTIME_DIR"] = before;
});
afterEach(() => expect(readdirSync(runtime)).toEqual([]));

describe("certificates", () => {
  test("are made in a private folder, the key for the user alone, and never replaced", async () => {
    const { status, stdout } = await lightcone(["certificates", folder, "--host", "lab.example", "10.0.0.7"]);
    expect(status).toBe(0);
    expect(stdout).toContain("A certificate for localhost, 127.0.0.1, ::1, lab.example, 10.0.0.7, until 20");
    expect(readdirSync(folder).toSorted()).toEqual(["ca.pem", "cert.pem", "key.pem"]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "key.pem")).mode & 0o777).toBe(0o600);
    const again = await lightcone(["certificates", folder]);
    expect(again).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^lightcone: .*is there already/),
    });
  });

  test("are not put where others can read", async () => {
    const open = join(stateHome, "open");
    mkdirSync(open, { mode: 0o755 });
    const { status, stderr } = await lightcone(["certificates", open]);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^lightcone: others can read .*chmod 700/)]);
    expect(readdirSync(open)).toEqual([]);
  });

  test("a folder where none can be made is refused at once", async () => {
    const { status, stderr } = await lightcone(["certificates", "/proc/lightcone/deep"]);
    expect(stderr).toMatch(/^lightcone: cannot make the folder \/proc\/lightcone\/deep: E[A-Z]+\n$/);
    expect(status).toBe(2);
  });

  test("are for hosts", async () => {
    const { status, stderr } = await lightcone(["certificates", join(stateHome, "x"), "--host", "a b"]);
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/^lightcone: a certificate is for DNS names/),
    ]);
  });
});

describe("run, with real processes", () => {
  test.each([
    ["tls", []],
    ["tls", filesIn(folder)],
    ["ws", []],
  ])("over %s %j: delays, a verdict, nothing left behind", async (transport, more) => {
    const { status, stdout, stderr } = await lightcone([
      "run",
      "ricart-agrawala",
      "-n",
      "3",
      "--seed",
      "5",
      "--transport",
      transport,
      "--faults",
      "delay 5..50ms",
      ...more,
      "--json",
    ]);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "pass", violations: [] });
    expect(status).toBe(0);
  });

  test("certificates of two authorities: the run fails, and says why", { timeout: 60_000 }, async () => {
    const other = join(stateHome, "other");
    await lightcone(["certificates", other]);
    const files = filesIn(folder).map((word) =>
      word.replace(folder, word.endsWith("ca.pem") ? other : folder),
    );
    const { status, stdout, stderr } = await lightcone([
      "run",
      "ricart-agrawala",
      "-n",
      "2",
      "--transport",
      "tls",
      ...files,
      "--json",
    ]);
    expect(stderr).toMatch(/its certificate is of an authority that is not trusted here/);
    expect(JSON.parse(stdout)).toMatchObject({ status: 4 });
    expect(status).toBe(4);
  });

  test("NODE_TLS_REJECT_UNAUTHORIZED=0 is named and changes nothing", async () => {
    const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      const { stderr } = await lightcone([
        "run",
        "ricart-agrawala",
        "-n",
        "2",
        "--transport",
        "tls",
        "--json",
      ]);
      expect(stderr).toContain(
        "NODE_TLS_REJECT_UNAUTHORIZED=0 is set; Lightcone verifies certificates all the same",
      );
    } finally {
      if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
    }
  });

  test.each<[string, string[], RegExp]>([
    ["some of the files", ["--transport", "tls", "--cert", "c"], /--cert, --key and --ca go together/],
    ["files for another transport", filesIn(folder), /are for --transport tls; this run goes over tcp/],
    [
      "files that are not there",
      ["--transport", "tls", "--cert", "nowhere.pem", "--key", "k", "--ca", "a"],
      /--cert: cannot read nowhere\.pem: ENOENT/,
    ],
    [
      "a key for a certificate",
      [
        "--transport",
        "tls",
        "--cert",
        join(folder, "key.pem"),
        "--key",
        join(folder, "key.pem"),
        "--ca",
        join(folder, "ca.pem"),
      ],
      /cert takes certificates in PEM/,
    ],
  ])("%s: status 2, one line, nothing started", async (_what, args, answer) => {
    const { status, stdout, stderr } = await lightcone(["run", "ricart-agrawala", ...args]);
    expect(stderr).toMatch(answer);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect([status, stdout]).toEqual([2, ""]);
  });
});
