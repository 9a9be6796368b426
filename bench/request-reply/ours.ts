import { connect, serve, type ServeOptions } from "../../dist/host/index.js";
import { rangeOf } from "../../dist/protocols/index.js";
import { uds, udsAddress } from "../../dist/transports/index.js";
import { echoBytes, echoObject, record } from "./echo.js";
import type { Side } from "./side.js";

const transports = { uds };

/** `ours`, `ours-start` (without promises); `-unkept` at the end: mode at-least-once, which keeps no replies. */
export const ours: Side = {
  async serve(kind, address, payload) {
    const options: ServeOptions = {
      at: udsAddress(address),
      transports,
      ...(kind.endsWith("-unkept") && { mode: "at-least-once" as const }),
    };
    if (payload === "object") await serve(echoObject, options);
    else await serve(echoBytes, options);
    return address;
  },

  async connect(kind, address, payload) {
    if (payload === "object") {
      const client = await connect(echoObject, udsAddress(address), { transports });
      return async (done) => {
        const outcome = await client.call("echo", record);
        if (outcome.kind !== "ok") throw new Error(outcome.reason);
        done();
      };
    }
    const client = await connect(echoBytes, udsAddress(address), { transports });
    const bytes = rangeOf(new Uint8Array(Number(payload)).fill(7));
    const check = (outcome: Awaited<ReturnType<typeof client.call>>): void => {
      if (outcome.kind !== "ok" || outcome.value.end - outcome.value.start !== bytes.end)
        throw new Error("no echo");
    };
    if (kind.startsWith("ours-start")) {
      return (done) =>
        client.start("echo", bytes, (outcome) => {
          check(outcome);
          done();
        });
    }
    return async (done) => {
      check(await client.call("echo", bytes));
      done();
    };
  },
};
