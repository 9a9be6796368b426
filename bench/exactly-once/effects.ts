import type { Plain } from "../../dist/core/index.js";
import type { Service } from "../../dist/protocols/index.js";

/** Does one thing for each call, which carries a number of its own; the count shows what was lost or done twice. */
export const effects: Service<{ readonly done: number }, "do"> = {
  name: "effects",
  methods: ["do"],
  parameters: [{ name: "id", kind: "number" }],
  initial: { done: 0 },
  check: (_method, args) => (idOf(args) === undefined ? "do takes an id, a number" : undefined),
  handle: ({ done }, _method, args) => ({ state: { done: done + 1 }, value: idOf(args) ?? null }),
};

export function idOf(args: Plain): number | undefined {
  if (typeof args !== "object" || args === null || !("id" in args)) return undefined;
  const id: unknown = args["id"];
  return typeof id === "number" ? id : undefined;
}
