import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stateHome } from "./support/lightcone.js";

test("npm start tells the story of four real processes, gives the verdict, and ends", async () => {
  const output = await new Promise<string>((resolve, reject) => {
    const environment = { ...process.env, XDG_STATE_HOME: stateHome, NO_COLOR: "1" };
    const options = { cwd: join(import.meta.dirname, ".."), env: environment, timeout: 60_000 };
    execFile("npm", ["start", "--", "--no-studio"], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${error.message}\n${stdout}\n${stderr}`));
    });
  });
  for (const part of [
    "P1, P2, P3, P4",
    "10% of messages lost",
    "asks everyone",
    "keeps",
    "enters",
    "What the faults did",
    "PASS",
    "mutual-exclusion",
    "Trace: ",
    "Next",
  ]) {
    expect(output).toContain(part);
  }
});
