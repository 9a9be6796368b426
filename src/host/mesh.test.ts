import { expect, onTestFinished, test } from "vitest";
import type { ProcessId } from "../core/index.js";
import { createMemoryTransport, type Connection, type FrameReceiver } from "../transports/index.js";
import { encodeHello, refusalOf, type Expectations, type Hello } from "./hello.js";
import { Mesh, type MeshUser } from "./mesh.js";

const PROCESSES = ["P1", "P2", "P3"];

const hello: Hello = {
  from: "P3",
  to: "P2",
  incarnation: 1,
  instance: "i",
  connection: "c",
  token: "secret",
};

function expecting(known?: { incarnation: number; instance: string; connected: boolean }): Expectations {
  return { self: "P2", processes: PROCESSES, token: "secret", known: () => known };
}

test("who proves to be a later process of this run is let in", () => {
  expect(refusalOf(hello, expecting())).toBeUndefined();
});

test.each([
  ["wrong-token", { token: "guess" }],
  ["wrong-token", { token: "guess", from: "nobody" }],
  ["wrong-process", { to: "P1" }],
  ["unknown-process", { from: "P4" }],
  ["wrong-direction", { from: "P1" }],
  ["wrong-direction", { from: "P2" }],
] as const)("refuses with %s: %o", (code, change) => {
  expect(refusalOf({ ...hello, ...change }, expecting())).toBe(code);
});

test("a newer incarnation fences the old one; the old one is refused from then on", () => {
  const known = { incarnation: 1, instance: "i", connected: true };
  expect(refusalOf({ ...hello, incarnation: 2, instance: "j" }, expecting(known))).toBeUndefined();
  expect(refusalOf({ ...hello, incarnation: 0 }, expecting(known))).toBe("stale-incarnation");
});

test("the same incarnation comes back only as the same operating-system process", () => {
  const known = { incarnation: 1, instance: "i", connected: true };
  expect(refusalOf(hello, expecting(known))).toBeUndefined();
  expect(refusalOf({ ...hello, instance: "impostor" }, expecting(known))).toBe("duplicate-process");
});

class Switchboard implements MeshUser {
  readonly connections = new Map<ProcessId, Connection>();
  attached = 0;
  attach(peer: ProcessId, connection: Connection): FrameReceiver {
    this.connections.set(peer, connection);
    this.attached++;
    return () => {};
  }
  detach(peer: ProcessId, connection: Connection): void {
    if (this.connections.get(peer) === connection) this.connections.delete(peer);
  }
}

async function pair(): Promise<{
  first: Mesh;
  second: Mesh;
  firstUser: Switchboard;
  secondUser: Switchboard;
  transport: ReturnType<typeof createMemoryTransport>;
  troubles: string[];
}> {
  const transport = createMemoryTransport();
  const [firstUser, secondUser] = [new Switchboard(), new Switchboard()];
  const troubles: string[] = [];
  const open = (self: ProcessId, user: MeshUser): Promise<Mesh> =>
    Mesh.open({
      transport,
      listen: `memory://${self}`,
      self,
      processes: PROCESSES,
      incarnation: 0,
      token: "secret",
      user,
      onTrouble: (error) => troubles.push(error.message),
    });
  const [first, second] = [await open("P1", firstUser), await open("P2", secondUser)];
  onTestFinished(async () => {
    await second[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
  });
  second.reach({ process: "P1", incarnation: 0, address: "memory://P1" });
  await Promise.all([first.connected(["P2"]), second.connected(["P1"])]);
  return { first, second, firstUser, secondUser, transport, troubles };
}

test("the later process dials, and one connection serves both", async () => {
  const { firstUser, secondUser } = await pair();
  expect([...firstUser.connections.keys()]).toEqual(["P2"]);
  expect([...secondUser.connections.keys()]).toEqual(["P1"]);
});

test("a connection that breaks is made again", async () => {
  const { first, second, firstUser, secondUser } = await pair();
  const broken = firstUser.connections.get("P2");
  broken?.abort("planted");
  await broken?.closed;
  while (secondUser.attached < 2)
    await Promise.race([second.connected(["P1"]), new Promise((resolve) => setTimeout(resolve, 5))]);
  await Promise.all([first.connected(["P2"]), second.connected(["P1"])]);
  expect(firstUser.connections.get("P2")).not.toBe(broken);
});

test("a connection with a wrong token, or that begins with anything else, is ended and reported; the mesh goes on", async () => {
  const { transport, troubles, first, firstUser } = await pair();
  const impostor = await transport.dial("memory://P1");
  impostor.receive(() => {});
  impostor.send(encodeHello({ ...hello, to: "P1", token: "guess" }));
  await impostor.closed;
  const stranger = await transport.dial("memory://P1");
  stranger.receive(() => {});
  stranger.send(new Uint8Array([1, 2, 3]));
  await stranger.closed;
  expect(troubles).toEqual([
    "refused a connection that claimed to be P3: wrong-token",
    "a connection began with something else than a hello",
  ]);
  expect(first.isConnected("P2")).toBe(true);
  expect(firstUser.attached).toBe(1);
});

test("another process that takes a peer's name without being a newer incarnation is not used, and reported", async () => {
  const { first, second, secondUser, transport, troubles } = await pair();
  await first[Symbol.asyncDispose]();
  const impostor = await Mesh.open({
    transport,
    listen: "memory://P1",
    self: "P1",
    processes: PROCESSES,
    incarnation: 0,
    token: "secret",
    user: new Switchboard(),
  });
  onTestFinished(() => impostor[Symbol.asyncDispose]());
  const told = "P1 is another process than before: it has lost what it knew";
  while (!troubles.includes(told)) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(second.isConnected("P1")).toBe(false);
  expect(secondUser.attached).toBe(1);
});
