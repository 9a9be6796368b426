import type { Mutant } from "./mutant.js";

const FILE = "src/protocols/clock-sync/ntp.ts";
const SERVER = "src/protocols/clock-sync/time-server.ts";
const INTERVALS = "src/protocols/clock-sync/intersection.ts";
const BEST = "src/protocols/clock-sync/lundelius-lynch.ts";

/** Bugs of NTP's measuring and selecting, and of the optimal algorithm; ids as in the protocol reference, §3.4 and §3.5. */
export const mutants: readonly Mutant[] = [
  {
    id: "NT-1",
    family: "ntp",
    file: SERVER,
    find: "Math.round((t2 - t1 + (t3 - t4)) / 2)",
    replace: "t2 - t1 + (t3 - t4)",
    why: "The offset is not halved.",
    scenario: "ntp/bad-network",
  },
  {
    id: "NT-2",
    family: "ntp",
    file: SERVER,
    find: "delay: t4 - t1 - (t3 - t2)",
    replace: "delay: t4 - t1",
    why: "The delay includes what the server took.",
    scenario: "ntp/four-times",
  },
  {
    id: "NT-3",
    family: "ntp",
    file: SERVER,
    find: "(t2 - t1 + (t3 - t4))",
    replace: "(t1 - t2 + (t4 - t3))",
    why: "The sign is flipped: every correction doubles the error.",
    scenario: "ntp/bad-network",
  },
  {
    id: "NT-4",
    family: "ntp",
    file: FILE,
    find: "outstanding === null || message.seq !== outstanding.seq || message.sent !== outstanding.sent",
    replace: "outstanding === null",
    why: "A reply to an earlier request counts, though the clock that asked has been moved since.",
    scenario: "ntp/bad-network",
  },
  {
    id: "NT-5",
    family: "ntp",
    file: FILE,
    find: "measured.filter(({ offset }) => offset >= agreed.low && offset <= agreed.high)",
    replace: "measured",
    why: "Whoever is outside the majority's interval is averaged too.",
    scenario: "ntp/bad-network",
  },
  {
    id: "NT-6",
    family: "ntp",
    file: INTERVALS,
    find: "up.passed + down.passed <= allowed && ",
    replace: "",
    why: "Midpoints do not count, so the interval is Marzullo's, without the likeliest times.",
    scenario: "ntp/intervals",
  },
  {
    id: "NT-7",
    family: "ntp",
    file: FILE,
    find: "offset: one.offset - by, ",
    replace: "",
    why: "Old samples are not moved with the clock that they were measured against.",
    scenario: "ntp/bad-network",
  },
  {
    id: "MZ-1",
    family: "ntp",
    file: INTERVALS,
    find: "a.type - b.type",
    replace: "b.type - a.type",
    why: "Upper ends come first where they meet lower ones: intervals that touch do not overlap.",
    scenario: "ntp/intervals",
  },
  {
    id: "LL-1",
    family: "ntp",
    file: BEST,
    find: "(differences.length + 1)",
    replace: "differences.length",
    why: "The own clock is not counted: worse than the best by n/(n-1).",
    scenario: "lundelius-lynch/mean",
  },
];
