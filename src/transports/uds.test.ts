import { execFileSync } from "node:child_process";
import { chmod, lstat, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UsageError } from "../core/index.js";
import { createUdsTransport, parseUdsAddress, udsAddress } from "./uds.js";

const uds = createUdsTransport();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lightcone-uds-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("an address is a path with what a URL must escape", () => {
  const path = "/run/user/1000/a b%ü.sock";
  expect(parseUdsAddress(udsAddress(path))).toBe(path);
  for (const wrong of ["uds://x", "uds://", "uds:///", "uds:///a/", "uds:///%", "uds:///a%00b", "tcp:///a"]) {
    expect(() => parseUdsAddress(wrong), wrong).toThrow(UsageError);
  }
});

test("O01: a path of 104 bytes is refused before anything is made, 103 are fine", async () => {
  const fits = join(folder, "x".repeat(103 - Buffer.byteLength(folder) - 1));
  await using listener = await uds.listen(udsAddress(fits), () => {});
  expect(listener.address).toBe(udsAddress(fits));
  for (const extra of [1, 20, 97]) {
    const path = fits + "x".repeat(extra);
    await expect(uds.listen(udsAddress(path), () => {})).rejects.toMatchObject({ code: "path-too-long" });
    await expect(uds.dial(udsAddress(path))).rejects.toMatchObject({ code: "path-too-long" });
    await expect(lstat(path)).rejects.toMatchObject({ code: "ENOENT" });
  }
});

test("O02: whatever the umask, only we can connect", async () => {
  for (const mask of [0o000, 0o022, 0o077]) {
    const path = join(folder, `${mask}.sock`);
    const before = process.umask(mask);
    try {
      await using listener = await uds.listen(udsAddress(path), () => {});
      expect((await lstat(path)).mode & 0o777).toBe(0o600);
      expect(listener.address).toBe(udsAddress(path));
      expect(process.umask()).toBe(mask);
    } finally {
      process.umask(before);
    }
    await expect(lstat(path)).rejects.toMatchObject({ code: "ENOENT" });
  }
});

describe("O03: what is in the way", () => {
  test("files, folders, links and FIFOs stay, and the address is in use", async () => {
    const path = (name: string): string => join(folder, name);
    await writeFile(path("file"), "keep me");
    await mkdir(path("folder"));
    await symlink(path("file"), path("link"));
    await symlink(path("nowhere"), path("dangling"));
    execFileSync("mkfifo", [path("fifo")]);
    for (const name of ["file", "folder", "link", "dangling", "fifo"]) {
      const before = await lstat(path(name));
      await expect(
        uds.listen(udsAddress(path(name)), () => {}),
        name,
      ).rejects.toMatchObject({ code: "address-in-use" });
      expect((await lstat(path(name))).ino).toBe(before.ino);
    }
  });

  test("a live socket stays, whoever listens", async () => {
    const path = join(folder, "live.sock");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await expect(uds.listen(udsAddress(path), () => {})).rejects.toMatchObject({ code: "address-in-use" });
    expect((await lstat(path)).isSocket()).toBe(true);
    await new Promise((resolve) => server.close(resolve));
  });

  test("a socket that a dead process of ours left is replaced", async () => {
    const path = join(folder, "stale.sock");
    const leave = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
    expect(() => execFileSync(process.execPath, ["-e", leave, path], { stdio: "ignore" })).toThrow(
      /SIGKILL|Command failed/,
    );
    expect((await lstat(path)).isSocket()).toBe(true);
    await using listener = await uds.listen(udsAddress(path), (connection) => void connection.close());
    const connection = await uds.dial(listener.address);
    expect((await connection.closed).code).toBe("closed");
  });
});

test("O04: a folder in which others can replace files is refused, a sticky one is not, a missing one is not made", async () => {
  await chmod(folder, 0o777);
  await expect(uds.listen(udsAddress(join(folder, "s")), () => {})).rejects.toMatchObject({
    code: "not-permitted",
    message: expect.stringContaining("chmod 700"),
  });
  await chmod(folder, 0o1777);
  await (await uds.listen(udsAddress(join(folder, "s")), () => {})).close();
  await expect(uds.listen(udsAddress(join(folder, "none", "s")), () => {})).rejects.toMatchObject({
    code: "address-unavailable",
  });
  await expect(lstat(join(folder, "none"))).rejects.toMatchObject({ code: "ENOENT" });
});
