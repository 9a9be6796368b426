import { describe, expect, test } from "vitest";
import {
  bestLeads,
  leaderDeclaresItself,
  messagesOfElections,
  oneLeaderAtTheEnd,
  severalTookPart,
} from "./election.js";
import { MutexRun, toldOf, witnessOf } from "./hand-made.test-helper.js";

class ElectionRun extends MutexRun {
  starts(...processes: readonly string[]): this {
    for (const process of processes) this.output(process, { kind: "started" });
    return this;
  }

  elects(leader: string, ...processes: readonly string[]): this {
    for (const process of processes) this.output(process, { kind: "elected", leader });
    return this;
  }
}

describe("leader-declares-itself", () => {
  const told = (run: ElectionRun) => toldOf(leaderDeclaresItself, run.trace());

  test("holds when the leader said so first, and the news came by a message", () => {
    const run = new ElectionRun().elects("P3", "P3");
    run.message("P3", "P1");
    expect(told(run.elects("P3", "P1"))).toEqual([]);
  });

  test("is violated by a leader that never said so, or of which no message tells", () => {
    expect(told(new ElectionRun().elects("P3", "P1"))).toMatchInlineSnapshot(`
      [
        "P1 took P3 for the leader at P1:2, which P3 had not said [P1:2]",
      ]
    `);
    expect(told(new ElectionRun().elects("P3", "P3", "P1"))).toHaveLength(1);
  });
});

describe("one-leader-at-the-end", () => {
  const told = (run: ElectionRun) => toldOf(oneLeaderAtTheEnd, run.trace());

  test("holds when all agree at last, whatever they thought before", () => {
    const run = new ElectionRun().starts("P1").elects("P2", "P2", "P1").elects("P3", "P3", "P2", "P1");
    expect(told(run)).toEqual([]);
  });

  test("is violated by two leaders, by none, and by one that is down", () => {
    const two = new ElectionRun().starts("P1").elects("P3", "P3", "P2").elects("P1", "P1");
    expect(told(two)).toHaveLength(1);
    expect(told(new ElectionRun().starts("P1").elects("P3", "P3", "P1"))).toMatchInlineSnapshot(`
      [
        "P2 has no leader, and nothing is left to happen since P1:2 [P1:2]",
      ]
    `);
    const down = new ElectionRun().starts("P1", "P2").elects("P3", "P3", "P1").crash("P3").elects("P3", "P2");
    expect(told(down)).toHaveLength(2);
    const back = new ElectionRun().starts("P1").elects("P3", "P3", "P2", "P1").crash("P3").restart("P3");
    expect(told(back)).toEqual(["P3 has no leader, and nothing is left to happen since P3:4 [P3:4]"]);
  });

  test("does not blame those who had no reason to look for another leader", () => {
    expect(told(new ElectionRun().starts("P1").elects("P3", "P3", "P1", "P2").crash("P3"))).toEqual([]);
    expect(told(new ElectionRun())).toEqual([]);
  });

  test("says nothing of a run that was cut short", () => {
    expect(toldOf(oneLeaderAtTheEnd, new ElectionRun().starts("P1").trace("time-limit"))).toEqual([]);
  });
});

describe("best-leads", () => {
  const checker = (throughCrashes: boolean) =>
    bestLeads("the last", () => (a, b) => a > b, { throughCrashes });
  const told = (run: ElectionRun, throughCrashes = true) => toldOf(checker(throughCrashes), run.trace());

  test("is violated by whoever takes the lead while a better one is up", () => {
    expect(told(new ElectionRun().elects("P3", "P3", "P1"))).toEqual([]);
    expect(told(new ElectionRun().elects("P2", "P2"))).toMatchInlineSnapshot(`
      [
        "P2 took the lead at P2:2 while P3 was up [P2:2]",
      ]
    `);
  });

  test("counts those that are down out, and those that are back in", () => {
    const crash = { faults: "crash P3 at 1ms, restart P3 at 2ms" };
    expect(told(new ElectionRun(crash).crash("P3").elects("P2", "P2"))).toEqual([]);
    expect(told(new ElectionRun(crash).crash("P3").restart("P3").elects("P2", "P2"))).toHaveLength(1);
  });

  test("judges no run in which the best may be out of reach", () => {
    expect(told(new ElectionRun({ faults: "loss 10%" }).elects("P2", "P2"))).toEqual([]);
    expect(told(new ElectionRun({ faults: "crash P1 at 1ms" }).elects("P2", "P2"), false)).toEqual([]);
  });
});

test("messages-of-elections: within what is published for the elections that were held", () => {
  const checker = messagesOfElections("one each", (_, { started, won }) => ({ min: won, max: started }));
  const run = (messages: number) => {
    const elections = new ElectionRun().starts("P1", "P2").elects("P2", "P2");
    for (let i = 0; i < messages; i++) elections.send("P1", "P2", { kind: "candidate" });
    return elections.trace();
  };
  expect([1, 2].flatMap((messages) => toldOf(checker, run(messages)))).toEqual([]);
  expect(toldOf(checker, run(3))).toMatchInlineSnapshot(`
    [
      "3 messages for 1 won elections; one each makes 1 to 2 []",
    ]
  `);
  expect(toldOf(checker, run(0))).toHaveLength(1);
});

test("several took part when one starts before another has learned", () => {
  const alone = new ElectionRun().starts("P1").elects("P3", "P1").starts("P2").elects("P3", "P2");
  expect(witnessOf(severalTookPart, alone.trace())).toBeUndefined();
  expect(witnessOf(severalTookPart, new ElectionRun().starts("P1", "P2").trace())).toBe("P2:2");
});
