/**
 * `npm start`: Ricart–Agrawala with four real processes and the lab's own faults, its diagram and its verdict, then
 * the studio on that run; `npm start -- --no-studio` ends after the verdict. More arguments go to `lightcone run`.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./lib/run.mjs";
import { SetupError, setUp } from "./setup.mjs";

const given = process.argv.slice(2);
const studio = !given.includes("--no-studio") && existsSync(join(root, "dist/studio"));
const demonstration = [
  "run",
  "ricart-agrawala",
  "-n",
  "4",
  // One entry each fits a screen; under this seed each of the lab's faults hits something worth seeing.
  "--entries",
  "1",
  "--seed",
  "221",
  ...given.filter((argument) => argument !== "--no-studio"),
];
if (studio) demonstration.push("--studio");

try {
  await setUp();
  const { status } = await run(process.execPath, [join(root, "dist/cli/main.js"), ...demonstration], {
    inherit: true,
  });
  process.exitCode = status;
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 4;
}
