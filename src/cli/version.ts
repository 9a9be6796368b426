import { readFileSync } from "node:fs";
import { invariant } from "../core/index.js";

/** The version in package.json, two folders up from the compiled file. */
export function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const read: unknown = JSON.parse(text);
  invariant(
    typeof read === "object" && read !== null && "version" in read && typeof read.version === "string",
    "package.json names no version",
  );
  return read.version;
}
