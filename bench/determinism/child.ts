/* Runs one seed as often as the argument says, and prints the Node version and each trace's hash, a line each. */
import { processNames } from "../../dist/core/index.js";
import { parseFaults } from "../../dist/faults/index.js";
import { findLab, runSettings, simulationOf } from "../../dist/labs/index.js";
import { simulate } from "../../dist/sim/index.js";
import { traceHash } from "../../dist/trace/index.js";

const lab = findLab("causal-broadcast");
const processes = processNames(5);
const settings = runSettings(lab, { processes, seed: 41 });
const faults = parseFaults(
  "delay 0..200ms mean 20ms, loss 10%, duplicate 10%, reorder 20%, clock P2 +1s drift 80ppm, pause P3 at 50ms..150ms, crash P4 at 90ms, restart P4 at 200ms",
  processes,
);
console.log(process.version);
for (let run = Number(process.argv[2]); run > 0; run--) {
  console.log(
    traceHash(simulate(simulationOf(lab, settings, { faults }), { lab: lab.id, lightcone: "bench" }).events),
  );
}
