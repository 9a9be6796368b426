import type { Supervised } from "./supervised.js";

// Together well under two seconds.
const STOP_MS = 800;
const TERM_MS = 600;

/** Ends every participant that still runs: asks it to stop, then SIGTERM, then SIGKILL. Resolves when all are gone. */
export async function stopAll(participants: readonly Supervised[]): Promise<void> {
  const alive = participants.filter((one) => one.isAlive && one.phase !== "crashed");
  for (const one of alive) {
    // A stopped process takes no notice of anything but this and SIGKILL.
    if (one.paused) one.child?.signal("SIGCONT");
    one.phase = "stopping";
    // One that has not introduced itself has recorded nothing worth an orderly end.
    if (one.channel === undefined) one.child?.signal("SIGKILL");
    else one.send({ kind: "stop" });
  }
  const gone = Promise.all(alive.flatMap((one) => one.child?.exited ?? []));
  if (await settlesWithin(gone, STOP_MS)) return;
  for (const one of alive) one.child?.signal("SIGTERM");
  if (await settlesWithin(gone, TERM_MS)) return;
  for (const one of alive) one.child?.signal("SIGKILL");
  await gone;
}

function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    void promise.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
