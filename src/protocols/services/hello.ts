import type { Plain } from "../../core/index.js";
import { unknownMethod, type Service } from "./service.js";

/** How many it has greeted. */
export interface HelloState {
  readonly greeted: number;
}

/** Longer names are refused; UTF-16 code units. */
export const GREETED_NAME_LENGTH_MAX = 200;

const METHODS = ["hello"] as const;

/** Greets `{ name }` and counts: the smallest service, whose count shows whether a greeting ran twice. */
export const hello: Service<HelloState, "hello"> = {
  name: "hello",
  methods: METHODS,
  parameters: [{ name: "name", kind: "text" }],
  initial: { greeted: 0 },

  check(method, args) {
    const unknown = unknownMethod(method, METHODS);
    if (unknown !== undefined) return unknown;
    const name = nameOf(args);
    if (name === undefined || name === "") return "hello takes a name, a text that is not empty";
    if (name.length > GREETED_NAME_LENGTH_MAX) {
      return `the name has ${name.length} characters; give at most ${GREETED_NAME_LENGTH_MAX}`;
    }
    return undefined;
  },

  handle(state, _method, args) {
    const greeted = state.greeted + 1;
    return { state: { greeted }, value: `Hello from server, ${nameOf(args) ?? ""} (greeting ${greeted})` };
  },
};

function nameOf(args: Plain): string | undefined {
  if (typeof args !== "object" || args === null || !("name" in args)) return undefined;
  return typeof args["name"] === "string" ? args["name"] : undefined;
}
