import { expect, test } from "vitest";
import { placeInUserFile } from "./place-in-user-file.js";

function thrownAt(...frames: string[]): Error {
  const error = new Error("boom");
  error.stack = ["Error: boom", ...frames.map((frame) => `    at ${frame}`)].join("\n");
  return error;
}

const own = new URL("./supervisor.js", import.meta.url).href;

test("the innermost frame in a file that is neither Lightcone's, Node's nor a package's is the place", () => {
  const error = thrownAt(
    `step (${own}:3:1)`,
    "node:internal/timers:10:2",
    "f (file:///home/u/node_modules/p/index.js:1:1)",
    "async Object.onMessage (file:///home/u/my%20lab.mjs:12:9)",
    "file:///home/u/other.mjs:40:1",
  );
  expect(placeInUserFile(error)).toBe("my lab.mjs:12");
});

test("a compiled TypeScript lab is called by the name its author knows", () => {
  expect(placeInUserFile(thrownAt("Object.start (file:///home/u/.my-lab.ts.4711.mjs:7:1)"))).toBe(
    "my-lab.ts:7",
  );
});

test("the place of what caused the error counts", () => {
  const error = new Error("wrapped", { cause: thrownAt("file:///a/lab.mjs:5:1") });
  error.stack = `Error: wrapped\n    at ${own}:1:1`;
  expect(placeInUserFile(error)).toBe("lab.mjs:5");
});

test.each([["text"], [undefined], [thrownAt(`f (${own}:1:1)`)], [thrownAt()]])(
  "nothing is said where no file of the user's had a part in it",
  (thrown) => {
    expect(placeInUserFile(thrown)).toBeUndefined();
  },
);

test("a stack that is no text is no place", () => {
  const error = new Error("odd");
  Object.defineProperty(error, "stack", { value: 7 });
  expect(placeInUserFile(error)).toBeUndefined();
});
