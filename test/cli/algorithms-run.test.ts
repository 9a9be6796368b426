import { describe, expect, test } from "vitest";
import { lightcone } from "../support/lightcone.js";

const FAULTS = "delay 1..20ms, loss 15%, duplicate 15%";

/** Mutual exclusion and election with real processes, beside Ricart–Agrawala, which run.test.ts tries. */
describe.each([
  "lamport",
  "roucairol-carvalho",
  "suzuki-kasami",
  "raymond",
  "maekawa",
  "token-ring",
  "coordinator",
  "bully",
  "chang-roberts",
  "hirschberg-sinclair",
])("%s", (lab) => {
  // Over tcp each runs with the commands of its own guide: see docs.test.ts.
  test.each(["udp"])("passes over %s while the network misbehaves", async (transport) => {
    const args = ["run", lab, "-n", "4", "--seed", "5", "--faults", FAULTS, "--transport", transport];
    const { status, stdout, stderr } = await lightcone([...args, "--json"]);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "pass", violations: [] });
    expect(status).toBe(0);
  });
});
