import { expect, test } from "vitest";
import { lightcone } from "../support/lightcone.js";

test("compare prints what every algorithm costs, how it grows, and what faults do to it", async () => {
  const { status, stdout, stderr } = await lightcone(["compare", "mutex", "-n", "2..4", "--entries", "1"]);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(stdout).toMatch(/lamport +3\(n-1\) +3 +9\n/);
  expect(stdout).toMatch(/ricart-agrawala +2\(n-1\) +2 +6\n/);
  expect(stdout).toMatch(/lamport +1 T .* █+ 9\n/);
  expect(stdout).toMatch(/4 processes under crash: crash P2 at 50ms/);
  for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("the same as JSON, and without a character beyond ASCII", async () => {
  const json = await lightcone(["compare", "mutex", "-n", "2", "--entries", "1", "--json"]);
  const told: unknown = JSON.parse(json.stdout);
  expect(told).toMatchObject({ family: "mutex", seed: 1, messageDelay: 10_000 });
  expect(told).toHaveProperty("measured.0.algorithm", "lamport");
  const ascii = await lightcone(["compare", "mutex", "-n", "2", "--entries", "1", "--ascii"]);
  expect(ascii.stdout).not.toMatch(/[^\n -~]/);
});
