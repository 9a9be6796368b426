import { createServer, Socket } from "node:net";
import { expect, test } from "vitest";
import { watchDescriptors } from "./descriptor-watch.js";

test("what is told of connections that cannot be taken is told at most once a second", () => {
  const server = createServer();
  const told: string[] = [];
  let ms = 0;
  let problem: string | undefined;
  watchDescriptors(server, (line) => told.push(line), { problemNow: () => problem, now: () => ms });
  const comes = (times: number): void => {
    for (let i = 0; i < times; i++) server.emit("connection", new Socket());
  };
  comes(3);
  expect(told).toEqual([]);
  problem = "EMFILE";
  comes(50);
  ms = 999;
  comes(50);
  expect(told).toEqual([expect.stringMatching(/^no file descriptor is left \(EMFILE; see ulimit -n\)/)]);
  ms = 1_000;
  comes(50);
  expect(told).toHaveLength(2);
  problem = undefined;
  ms = 5_000;
  comes(1);
  expect(told).toHaveLength(2);
});

test("as long as there are descriptors, nothing is told", () => {
  const server = createServer();
  const told: string[] = [];
  watchDescriptors(server, (line) => told.push(line));
  server.emit("connection", new Socket());
  expect(told).toEqual([]);
});
