import { setTimeout as pause } from "node:timers/promises";
import { hosted } from "./hosted.js";
import { raw } from "./raw.js";

// One of the two processes: `end.js first FOLDER KIND MS` or `end.js second FOLDER KIND ADDRESS`, where KIND is host,
// recorded or raw. The first reports its address, then how many messages it received per second.

const [role, folder, kind, last = ""] = process.argv.slice(2);

// Left out of the count while the machine warms up.
const WARM_UP_MS = 700;

// The parent ends both; an orphan ends itself.
process.on("disconnect", () => process.exit());

const pair = kind === "raw" ? raw : hosted(kind === "recorded" ? folder : undefined);
if (role === "first") {
  const side = await pair.first((address) => process.send?.({ address }));
  await pause(WARM_UP_MS);
  const [before, since] = [side.received(), performance.now()];
  await pause(Number(last));
  const messages = side.received() - before;
  process.send?.({ messagesPerSecond: (messages * 1000) / (performance.now() - since) });
} else {
  await pair.second(last);
}
