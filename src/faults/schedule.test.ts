import { expect, test } from "vitest";
import { SECOND } from "../core/index.js";
import { parseFaults } from "./parse.js";
import { scheduleOf } from "./schedule.js";

function points(text: string): string[] {
  return scheduleOf(parseFaults(text)).map(({ at, kind, fault }) => `${at / SECOND} ${kind}: ${fault}`);
}

test("gives the beginnings and ends of a plan in the order of time", () => {
  expect(
    points(`
      partition P1 P2 | P3 at 2s..5s, crash P2 at 3s, restart P2 at 4s, pause P1 at 1s..6s
      clock P3 +250ms drift 80ppm, disk-full P1 at 2.5s, loss 10%`),
  ).toMatchInlineSnapshot(`
    [
      "0 clock: clock P3 +250ms drift 80ppm",
      "1 pause: pause P1",
      "2 begin: partition P1 P2 | P3",
      "2.5 begin: disk-full P1",
      "3 crash: crash P2",
      "4 restart: restart P2",
      "5 end: partition P1 P2 | P3",
      "6 resume: pause P1",
    ]
  `);
});

test("keeps the plan's order at the same instant, but ends one fault before the next begins", () => {
  expect(points("pause P1 at 2s..3s, pause P1 at 1s..2s, restart P2 at 2s, crash P2 at 1s, crash P3 at 2s"))
    .toMatchInlineSnapshot(`
    [
      "1 pause: pause P1",
      "1 crash: crash P2",
      "2 resume: pause P1",
      "2 pause: pause P1",
      "2 restart: restart P2",
      "2 crash: crash P3",
      "3 resume: pause P1",
    ]
  `);
});

test("carries what a runner needs to act", () => {
  expect(scheduleOf(parseFaults("clock P3 +1ms drift 80ppm at 1s, refuse P2 at 2s"))).toEqual([
    {
      at: SECOND,
      kind: "clock",
      process: "P3",
      step: 1000,
      driftPpm: 80,
      fault: "clock P3 +1ms drift 80ppm",
    },
    {
      at: 2 * SECOND,
      kind: "begin",
      of: { kind: "refuse", process: "P2", at: 2 * SECOND },
      fault: "refuse P2",
    },
  ]);
});
