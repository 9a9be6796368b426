import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MILLISECOND, SECOND } from "../../core/index.js";
import { checkNarrated } from "../../../test/support/narrated.js";
import { PureNetwork, type Weather } from "../../../test/support/pure-network.js";
import { chat, chatNarration, type ChatState } from "./chat.js";
import type { ChatCommand, ChatMessage, ChatOutput } from "./chat-messages.js";
import type { ChatOptions } from "./chat-options.js";
import {
  CHAT_AUTHORS_MAX,
  CHAT_TEXT_LENGTH_MAX,
  chatName,
  decidePost,
  nameKey,
  noteAuthor,
  textProblem,
  type ChatEntry,
} from "./chat-rules.js";

type Net = PureNetwork<ChatState, ChatMessage, ChatCommand, ChatOutput>;

function network(options: Partial<ChatOptions> = {}, weather: Partial<Weather<ChatMessage>> = {}): Net {
  const small = { window: 4, haveEvery: 2, haveAfter: 5 * MILLISECOND, heartbeat: 50 * MILLISECOND };
  return new PureNetwork(chat({ server: "P1", ...small, ...options }), ["P1", "P2", "P3"], {
    seed: 1,
    ...weather,
  });
}

/** What a member has been shown, since its last start. */
function shown(net: Net, member: string): string[] {
  return net.deeds.flatMap(({ process, effect }) =>
    process === member && effect.kind === "deliver" ? [(effect.message as ChatEntry).text] : [],
  );
}

function outcomes(net: Net, member: string): string[] {
  return net
    .outputs(member)
    .flatMap((output) =>
      output.kind === "posted" || output.kind === "failed" || output.kind === "unknown"
        ? [`${output.author}#${output.seq} ${output.kind}`]
        : [],
    );
}

const say = (text: string): ChatCommand => ({ kind: "post", text });

describe("names", () => {
  test.each([
    ["Ana", "Ana"],
    ["  Ana  ", "Ana"],
    ["José", "José"],
    ["__proto__", "__proto__"],
    ["constructor", "constructor"],
    ["日本", "日本"],
    ["x".repeat(64), "x".repeat(64)],
  ])("%j may be one", (given, name) => {
    expect(chatName("name", given)).toEqual({ kind: "name", name });
  });

  test.each([
    ["", /is empty/],
    ["   ", /is empty/],
    ["x".repeat(65), /has 65 characters/],
    ["x".repeat(10_000), /has 10000 characters/],
    ["A\u001b[2Jna", /characters that do not show/],
    ["A\0na", /characters that do not show/],
    ["\u202eanA", /characters that do not show/],
    ["A\nna", /characters that do not show/],
    ["\ud800", /characters that do not show/],
  ])("%j may not", (given, reason) => {
    const refused = chatName("name", given);
    expect(refused.kind === "refused" && refused.reason).toMatch(reason);
  });

  test("that look alike have one key", () => {
    expect(nameKey("Ana")).toBe(nameKey("ANA"));
    expect(nameKey("Ａｎａ")).toBe(nameKey("ana"));
  });
});

test("texts are refused when they are empty, too long or not well-formed", () => {
  expect(textProblem("\u001b]0;x\u0007 is shown escaped, not refused")).toBeUndefined();
  expect(textProblem("")).toMatch(/empty/);
  expect(textProblem("x".repeat(CHAT_TEXT_LENGTH_MAX))).toBeUndefined();
  expect(textProblem("x".repeat(CHAT_TEXT_LENGTH_MAX + 1))).toMatch(/4001 characters/);
  expect(textProblem("half \ud83d")).toMatch(/well-formed/);
});

test("the number of a post decides: next, again, too early, or over", () => {
  const soFar = { accepted: 3, floor: 2, refused: undefined };
  const text = "x";
  expect(decidePost(soFar, { seq: 4, text }).kind).toBe("append");
  expect(decidePost(soFar, { seq: 3, text }).kind).toBe("repeat");
  expect(decidePost(soFar, { seq: 5, text }).kind).toBe("early");
  expect(decidePost(soFar, { seq: 1, text }).kind).toBe("stale");
  expect(decidePost(soFar, { seq: 4, text: "" }).kind).toBe("refuse");
  // 4 was given up by its author, perhaps after it had been sent.
  expect(decidePost({ ...soFar, floor: 5 }, { seq: 5, text }).kind).toBe("append");
  const refused = { ...soFar, refused: { seq: 4, reason: "full" } };
  expect(decidePost(refused, { seq: 4, text })).toEqual({ kind: "refuse", reason: "full" });
  expect(decidePost(refused, { seq: 5, text }).kind).toBe("early");
  expect(decidePost({ ...refused, floor: 5 }, { seq: 5, text }).kind).toBe("append");
});

test("of a room's authors the latest are remembered", () => {
  const last = new Map<string, number>();
  for (let i = 0; i <= CHAT_AUTHORS_MAX; i++) {
    noteAuthor(last, `a${i}`, 1);
    if (i % 1_000 === 0) noteAuthor(last, "a0", i + 2);
  }
  expect([last.size, last.has("a0"), last.has("a1")]).toEqual([CHAT_AUTHORS_MAX, true, false]);
});

describe("a room", () => {
  test("shows everybody one order, the author's own messages in their place", () => {
    const net = network();
    for (let i = 1; i <= 5; i++) net.command(i % 2 === 0 ? "P2" : "P3", say(`m${i}`), i * 10_000);
    expect(net.run()).toBe("quiescent");
    expect(shown(net, "P2")).toEqual(["m1", "m2", "m3", "m4", "m5"]);
    expect(shown(net, "P3")).toEqual(shown(net, "P2"));
    expect(outcomes(net, "P2")).toEqual(["P2#1 posted", "P2#2 posted"]);
    expect(net.liveTimers("P2")).toEqual([]);
    checkNarrated(net.deeds, chatNarration);
  });

  test("gives whoever comes late everything, a window at a time", () => {
    const net = network();
    net.crash("P3", 0);
    for (let i = 1; i <= 11; i++) net.command("P2", say(`m${i}`), i * 1_000);
    net.restart("P3", 500_000);
    net.run();
    expect(shown(net, "P3")).toEqual(Array.from({ length: 11 }, (_, i) => `m${i + 1}`));
    expect(net.explained("P1", "chat.resume")).toEqual([{ member: "P3", name: "P3", messages: "1..11" }]);
  });

  test("has one person of a name", () => {
    const net = network({ nameOf: () => "Ana" });
    net.command("P3", say("who am I?"), 50_000);
    net.run();
    const turned = [...net.outputs("P2"), ...net.outputs("P3")].filter(({ kind }) => kind === "turned-away");
    expect(turned).toEqual([
      {
        kind: "turned-away",
        again: false,
        reason: "somebody called Ana is in room lobby already; take another name",
      },
    ]);
  });

  test("tells who is there, and forgets who leaves", () => {
    const net = network();
    net.command("P3", { kind: "leave" }, 20_000);
    net.command("P2", { kind: "who" }, 10_000);
    net.command("P2", { kind: "who" }, 40_000);
    net.command("P3", say("gone"), 50_000);
    net.run();
    const people = net.outputs("P2").filter(({ kind }) => kind === "people");
    expect(people).toMatchObject([
      { names: expect.arrayContaining(["P2", "P3"]) as string[] },
      { names: ["P2"] },
    ]);
    expect(outcomes(net, "P3")).toEqual(["P3#1 failed"]);
  });
});

describe("a member's own errors", () => {
  test("a send error: nobody gets it, it is not kept, and its author learns that it failed", () => {
    const net = network();
    net.command("P2", { kind: "switch", error: "send", on: true }, 10_000);
    net.command("P2", say("lost"), 20_000);
    net.command("P2", { kind: "switch", error: "send", on: false }, 40_000);
    net.command("P2", say("kept"), 60_000);
    net.run();
    expect(outcomes(net, "P2")).toEqual(["P2#1 failed", "P2#2 posted"]);
    expect(shown(net, "P3")).toEqual(["kept"]);
  });

  test("a reception error: messages are lost on the way, seen to be missing, and there once it is over", () => {
    const net = network();
    net.command("P3", { kind: "switch", error: "reception", on: true }, 10_000);
    net.command("P2", say("m1"), 20_000);
    net.command("P2", say("m2"), 30_000);
    net.run({ until: 400_000 });
    expect(shown(net, "P3")).toEqual([]);
    expect(net.explained("P1", "chat.lost")).toEqual([
      { member: "P3", name: "P3", messages: "1" },
      { member: "P3", name: "P3", messages: "2" },
    ]);
    expect(net.outputs("P3").filter(({ kind }) => kind === "missing")).toEqual([
      { kind: "missing", from: 0, to: 2 },
    ]);
    net.command("P3", { kind: "switch", error: "reception", on: false });
    net.run();
    expect(shown(net, "P3")).toEqual(["m1", "m2"]);
    checkNarrated(net.deeds, chatNarration);
  });
});

describe("a server that restarts", () => {
  test("goes on from its history: what was acknowledged is there, a repeated post is known", () => {
    const net = network({}, { drops: ({ from, message }) => from === "P1" && message.kind === "posted" });
    net.command("P2", say("m1"), 10_000);
    net.crash("P1", 13_000);
    net.restart("P1", 20_000);
    net.command("P3", say("m2"), 500_000);
    expect(net.run()).toBe("quiescent");
    expect(shown(net, "P2")).toEqual(["m1", "m2"]);
    expect(shown(net, "P3")).toEqual(["m1", "m2"]);
  });

  test("with another history turns away whoever knows the old one", () => {
    const net = network();
    net.run({ until: 30_000 });
    net.inject("P2", "P1", { kind: "join", room: "lobby", name: "P2", next: 7, oldest: 1, incarnation: 0 });
    net.inject("P3", "P1", {
      kind: "join",
      room: "lobby",
      name: "P3",
      next: 1,
      history: "x",
      oldest: 1,
      incarnation: 0,
    });
    net.run();
    const away = net.sent("P1").filter(({ kind }) => kind === "turned-away");
    expect(away).toHaveLength(2);
    expect(away[0]).toMatchObject({
      reason: expect.stringContaining("another history") as string,
      again: false,
    });
  });
});

test("a post that gets no answer in time is unknown when it was sent, and failed when it was not", () => {
  const net = network(
    { deadline: SECOND },
    { drops: ({ to, message }) => to === "P1" && message.kind === "post" },
  );
  net.command("P2", say("sent"), 20_000);
  net.crash("P1", 30_000);
  net.run({ until: 5 * SECOND });
  expect(outcomes(net, "P2")).toEqual(["P2#1 unknown"]);
  const never = network({ deadline: SECOND }, { loss: 1 });
  never.command("P2", say("not sent"));
  never.run();
  expect(outcomes(never, "P2")).toEqual(["P2#1 failed"]);
});

test("one post more than may wait fails at once", () => {
  const net = network({ postsMax: 2 }, { loss: 1 });
  for (let i = 0; i < 3; i++) net.command("P2", say(`m${i}`));
  net.run({ until: 1_000 });
  expect(outcomes(net, "P2")).toEqual(["P2#3 failed"]);
});

test("a member that says nothing any more is taken for gone", () => {
  const net = network({ attemptsMax: 3 });
  net.crash("P3", 10_000);
  net.command("P2", say("m1"), 20_000);
  expect(net.run()).toBe("quiescent");
  expect(net.explained("P1", "chat.gave-up")).toEqual([{ member: "P3", name: "P3", attempts: 3 }]);
});

test("whatever the network and the crashes: one order, no gap, no repeat, honest outcomes", () => {
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.nat(),
        loss: fc.double({ min: 0, max: 0.4, noNaN: true }),
        duplicate: fc.double({ min: 0, max: 0.5, noNaN: true }),
        longest: fc.integer({ min: 1_000, max: 200_000 }),
        crashes: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 3 }),
        posts: fc.array(fc.constantFrom("hello", "", "bye"), { minLength: 1, maxLength: 10 }),
      }),
      ({ seed, loss, duplicate, longest, crashes, posts }) => {
        const net = network({}, { seed, loss, duplicate, delay: [500, longest] });
        posts.forEach((text, i) =>
          net.command(i % 2 === 0 ? "P2" : "P3", say(text && `${text}${i}`), i * 9_000),
        );
        let at = 0;
        for (const gap of crashes) {
          net.crash("P1", (at += gap * 5_000));
          net.restart("P1", (at += 3_000));
        }
        expect(net.run()).toBe("quiescent");
        const order = shown(net, "P2");
        expect(shown(net, "P3")).toEqual(order);
        expect(new Set(order).size).toBe(order.length);
        const ended = [...outcomes(net, "P2"), ...outcomes(net, "P3")];
        expect(ended).toHaveLength(posts.length);
        const kept = net.deeds.flatMap(({ process, effect }) =>
          process === "P2" && effect.kind === "deliver" ? [effect.message as ChatEntry] : [],
        );
        const inRoom = new Set(kept.map(({ author, seq }) => `${author}#${seq}`));
        for (const outcome of ended) {
          const [post = "", kind] = outcome.split(" ");
          if (kind === "posted") expect(inRoom).toContain(post);
          if (kind === "failed") expect(inRoom).not.toContain(post);
        }
        checkNarrated(net.deeds, chatNarration);
      },
    ),
    {
      numRuns: 200,
      // A late answer of the dead session made a member believe that it was in.
      examples: [
        [
          {
            seed: 564070641,
            loss: 0,
            duplicate: 0,
            longest: 117_881,
            crashes: [25, 40],
            posts: ["bye", "bye", "bye", "bye"],
          },
        ],
      ],
    },
  );
});
