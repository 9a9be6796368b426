import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { Group, pageOf } from "../support/process-group.js";
import type { Started } from "../support/lightcone.js";
import { python, pythonProgram, startProgram, type Program } from "./programs.js";

/** A process of ours in a group of the classic format. */
function ours(group: Group, id: number, ...more: string[]): Started {
  return group.start(id, "--classic", ...more);
}

/** A process of theirs, in Python. */
async function theirs(group: Group, id: number, ...steps: string[]): Promise<Program> {
  const peers = Array.from({ length: group.count }, (_, other) => other)
    .filter((other) => other !== id)
    .map((other) => group.host(other));
  const ids = ["--process_id", `${id}`, "--number_processes", `${group.count}`];
  const hosts = ["--address", group.host(id), "--peers", peers.join(",")];
  const program = startProgram(pythonProgram("vector-clock-process", ...ids, ...hosts, ...steps));
  await program.shown(/ready/);
  return program;
}

describe.skipIf(!python)("with classic processes in Python (python3)", () => {
  test("both directions: theirs hears ours, answers, and ours hears that", async () => {
    const group = new Group("udp", 2);
    const program = await theirs(group, 1, "await=2", "all=and olá to you", "await=3");
    const zero = ours(group, 0);
    zero.type("one");
    zero.type("two");
    await zero.shown(/message 1 of P1: and olá to you/);
    zero.type("three");
    const printed = await program.ended;
    const host = group.host(0);
    expect(printed.split("\n").slice(1, -1)).toEqual([
      `delivered 0 ${host} [1, 0] one`,
      `delivered 0 ${host} [2, 0] two`,
      `delivered 0 ${host} [3, 1] three`,
      "over [3, 1] 0",
    ]);
  });

  test("two of ours and one of theirs, each answering the last: everybody hears all of it, in causal order", async () => {
    const group = new Group("udp", 3);
    const program = await theirs(group, 2, "await=2", "all=third: to 2", "await=3");
    const [zero, one] = [ours(group, 0), ours(group, 1)];
    await Promise.all([zero.shown(/listens at/), one.shown(/listens at/)]);
    zero.type("first");
    await one.shown(/message 1 of P0: first/);
    one.type("second");
    await zero.shown(/message 1 of P1: second[\s\S]*message 1 of P2: third: to 2/);
    await one.shown(/message 1 of P2: third: to 2/);
    zero.type("fourth");
    await one.shown(/message 2 of P0: fourth/);
    expect((await program.ended).match(/delivered .*/g)).toEqual([
      `delivered 0 ${group.host(0)} [1, 0, 0] first`,
      `delivered 1 ${group.host(1)} [1, 1, 0] second`,
      `delivered 0 ${group.host(0)} [2, 1, 1] fourth`,
    ]);
  });

  test("a message of ours for one keeps the order of the others alive", async () => {
    const group = new Group("udp", 3);
    const [first, second] = [await theirs(group, 1, "await=2"), await theirs(group, 2, "await=2")];
    const zero = ours(group, 0);
    zero.type("@1 secret");
    zero.type("public");
    expect(await first.ended).toMatch(/\[1, 0, 0\] secret\n.*\[2, 0, 0\] public\n/);
    expect(await second.ended).toMatch(/\[1, 0, 0\] \n.*\[2, 0, 0\] public\n/);
  });

  test("where theirs are stuck for good after concurrent messages, ours goes on", async () => {
    const group = new Group("udp", 3);
    const zero = ours(group, 0);
    await zero.shown(/listens at/);
    // Neither knows of the other's: the second does not equal the receiver's vector with one entry raised.
    await (
      await theirs(group, 1, `one=${group.host(0)}=from one`)
    ).ended;
    await (
      await theirs(group, 2, `one=${group.host(0)}=from two`)
    ).ended;
    await zero.shown(/message 1 of P1: from one[\s\S]*message 1 of P2: from two/);
  });
});

describe("with datagrams made here", () => {
  async function alone(...more: string[]) {
    const group = new Group("udp", 3);
    const zero = ours(group, 0, "--page", "0", ...more);
    const page = await pageOf(zero);
    const socket = createSocket("udp4");
    const send = async (datagram: string | Uint8Array): Promise<void> => {
      socket.send(datagram, 5050, group.host(0));
      await Promise.resolve();
    };
    return { group, zero, page, send, [Symbol.dispose]: () => void socket.close() };
  }

  test("a message waits for its predecessor by name, on the page too, until that comes", async () => {
    using here = await alone();
    await here.send("answer:2:127.0.0.3:0, 1, 1");
    await here.zero.shown(/message 1 of P2 waits for message 1 of P1/);
    await here.send("third:1:127.0.0.2:0, 3, 0");
    await here.zero.shown(/message 3 of P1 waits for messages 1 to 2 of P1/);
    expect(await (await fetch(`${here.page}view`)).json()).toMatchObject({
      vector: [{ count: 0 }, { count: 0 }, { count: 0 }],
      waiting: {
        total: 2,
        newest: [
          { from: "P2", number: 1, missing: [{ process: "P1", first: 1, last: 1 }] },
          { from: "P1", number: 3, missing: [{ process: "P1", first: 1, last: 2 }] },
        ],
      },
    });
    expect((await fetch(`${here.page}receive_message`)).status).toBe(204);
    await here.send("first:1:127.0.0.2:0, 1, 0");
    await here.zero.shown(/message 1 of P1: first\n[\s\S]*message 1 of P2: answer \(waited/);
    const received = await (await fetch(`${here.page}receive_message`)).json();
    expect(received).toEqual({ message: "first", sender_ip: here.group.host(1) });
    await here.send("first:1:127.0.0.2:0, 1, 0");
    await here.send("second:1:127.0.0.2:0, 2, 0");
    await here.zero.shown(/message 3 of P1: third \(waited/);
    expect(await (await fetch(`${here.page}view`)).json()).toMatchObject({
      vector: [{ count: 0 }, { count: 3 }, { count: 1 }],
      waiting: { total: 0 },
      received: { total: 4 },
    });
  });

  test.each<[string, string | Uint8Array, RegExp]>([
    ["garbage", "garbage", /ignored a datagram: it has not the form CONTENT:PID:IP/],
    ["invalid UTF-8", new Uint8Array([0xff, 0x3a, 0xfe]), /ignored a datagram: it is not UTF-8/],
    ["a vector too short", "x:1:127.0.0.2:0, 1", /ignored a datagram: its vector has 2 entries, not 3/],
    ["a negative entry", "x:1:127.0.0.2:0, 1, -1", /ignored a datagram: an entry of its vector is no count/],
    [
      "a huge entry",
      "x:1:127.0.0.2:0, 1, 999999999999",
      /ignored a datagram: its vector is 999999999999 messages of P2 ahead/,
    ],
    [
      "messages of ours that we never sent",
      "x:1:127.0.0.2:7, 1, 0",
      /claims 7 messages of P0, which has sent 0/,
    ],
    ["our own name", "x:0:127.0.0.1:1, 0, 0", /it claims to be of P0, this process/],
    ["a process beyond the group", "x:3:127.0.0.4:0, 1, 0", /its process 3 is not of this group/],
    [
      "an oversized datagram",
      `${"x".repeat(2000)}:1:127.0.0.2:0, 1, 0`,
      /ignored a datagram: it has 2020 bytes; at most 1024/,
    ],
    ["terminal escapes in the address", "x:1:\u001b[31m:0, 1, 0", /ignored a datagram/],
  ])("%s is ignored in one line, and everything else goes on", async (_what, datagram, line) => {
    using here = await alone();
    await here.send(datagram);
    await here.zero.shown(line);
    await here.send("fine:1:127.0.0.2:0, 1, 0");
    await here.zero.shown(/message 1 of P1: fine/);
    here.zero.signal("SIGINT");
    const { status, stdout } = await here.zero.ended;
    expect([status, stdout.match(/ignored/g)?.length]).toEqual([0, 1]);
  });

  test("a flood of garbage is counted, not told one by one", async () => {
    using here = await alone();
    for (let i = 0; i < 500; i++) await here.send(`garbage ${i}`);
    await here.zero.shown(/ignored \d+ more datagrams?/);
    here.zero.signal("SIGINT");
    expect((await here.zero.ended).stdout.match(/ignored a datagram/g)?.length).toBeLessThanOrEqual(20);
  });

  test("what leaves is CONTENT:PID:IP:V0, V1, V2, and nobody there is tried again as often as asked", async () => {
    const group = new Group("udp", 2);
    const zero = ours(group, 0, "--max-retries", "2", "--max-delay", "0ms");
    zero.type("with: colons");
    await zero.shown(/gives up on P1: nobody took it in 2 retries; 1 message waits for its return/);
    const socket = createSocket("udp4");
    socket.bind(5050, group.host(1));
    await once(socket, "listening");
    const received = once(socket, "message");
    // Hearing of it is reason to try again.
    socket.send("hi:1:127.0.0.2:0, 1", 5050, group.host(0));
    const [datagram] = (await received) as [Buffer];
    socket.close();
    expect(datagram.toString()).toBe(`with: colons:0:${group.host(0)}:1, 0`);
    zero.type("x".repeat(1100));
    await zero.shown(
      /not sent: the message makes a datagram of 1\d+ bytes; the classic format has at most 1024/,
    );
  });
});
