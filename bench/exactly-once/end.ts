import { appendFileSync, openSync } from "node:fs";
import { join } from "node:path";
import { serve, ServiceLog } from "../../dist/host/index.js";
import type { Service } from "../../dist/protocols/index.js";
import { uds, udsAddress } from "../../dist/transports/index.js";
import { effects, idOf } from "./effects.js";

// The process that is killed: `end.js FOLDER MODE`. In mode exactly-once what it does is what its log keeps; in the
// other modes it writes each effect down itself, as it happens.

const [folder = "", mode] = process.argv.slice(2);
const options = { at: udsAddress(join(folder, "s")), transports: { uds }, log: console.error };

if (mode === "exactly-once") {
  await serve(effects, { ...options, store: new ServiceLog(join(folder, "log"), console.error) });
} else {
  const written = openSync(join(folder, "effects"), "a");
  const writing: Service<{ readonly done: number }, "do"> = {
    ...effects,
    handle(state, method, args) {
      appendFileSync(written, `${idOf(args)}\n`);
      return effects.handle(state, method, args);
    },
  };
  await serve(writing, { ...options, mode: "maybe" });
}
process.send?.({ listening: true });
process.on("disconnect", () => process.exit());
