import { EXIT } from "../exit-status.js";
import type { Terminal } from "../terminal.js";

/** One item of the fault language. */
export interface FaultHelp {
  readonly fault: string;
  readonly meaning: string;
  /** Fault text that parses. */
  readonly example: string;
}

/** Faults of links, in force for the whole run, on every link unless the item begins with one. */
export const LINK_FAULT_HELP: readonly FaultHelp[] = [
  {
    fault: "delay",
    meaning: "messages take that much longer, evenly spread; the order of the link stays",
    example: "delay 5..50ms",
  },
  {
    fault: "delay … mean",
    meaning: "the same, most of them short and a few long",
    example: "delay 5..500ms mean 20ms",
  },
  { fault: "loss", meaning: "so many messages never arrive", example: "loss 10%" },
  { fault: "duplicate", meaning: "so many messages arrive twice", example: "duplicate 5%" },
  {
    fault: "reorder",
    meaning: "so many messages are held back, and later ones overtake them",
    example: "reorder 20%",
  },
  {
    fault: "corrupt",
    meaning: "so many messages are damaged; the checksum tells, and the receiver drops them",
    example: "corrupt 1%",
  },
  {
    fault: "A->B …",
    meaning: "any of these for one direction of one link; * is any process",
    example: "P1->P3 loss 50% delay 5..50ms",
  },
  { fault: "A<->B …", meaning: "the same for both directions", example: "P1<->P3 loss 50%" },
];

/** Faults with a time: `at 2s..5s` from then to then, `at 2s` to the end of the run, without `at` all along. */
export const SCHEDULED_FAULT_HELP: readonly FaultHelp[] = [
  {
    fault: "partition",
    meaning: "the groups cannot reach each other; who is in no group reaches everyone",
    example: "partition P1 P2 | P3 P4 at 2s..5s",
  },
  {
    fault: "one-way",
    meaning: "messages in that one direction are lost",
    example: "one-way P1 -> P2 at 1s..2s",
  },
  {
    fault: "crash",
    meaning: "the process is killed (kill -9 in a real run) and forgets all it has not saved",
    example: "crash P2 at 3s",
  },
  {
    fault: "restart",
    meaning: "a crashed process comes back with what it saved",
    example: "crash P2 at 3s, restart P2 at 5s",
  },
  {
    fault: "pause",
    meaning: "the process stands still (SIGSTOP in a real run), then goes on as if nothing were",
    example: "pause P1 at 1s..2s",
  },
  {
    fault: "clock",
    meaning: "the process's clock jumps, or runs fast or slow from then on, or both",
    example: "clock P3 +250ms drift 80ppm at 1s",
  },
  {
    fault: "refuse",
    meaning: "nobody can connect to the process, and its links are down",
    example: "refuse P2 at 0s..1s",
  },
  {
    fault: "fail-send",
    meaning: "everything the process sends is lost, and it is not told",
    example: "fail-send P1 at 1s..2s",
  },
  {
    fault: "fail-receive",
    meaning: "everything that reaches the process is lost there",
    example: "fail-receive P1 at 1s..2s",
  },
  {
    fault: "disk-full",
    meaning: "what the process saves is not kept; after a crash it has the last that was",
    example: "disk-full P1 at 2s",
  },
];

/** Lists the fault language. */
export function faultsCommand(options: { readonly json?: true }, terminal: Terminal): number {
  if (options.json) {
    const told = (faults: readonly FaultHelp[], of: string): unknown[] =>
      faults.map((one) => ({ ...one, of }));
    const list = [...told(LINK_FAULT_HELP, "links"), ...told(SCHEDULED_FAULT_HELP, "schedule")];
    terminal.print(JSON.stringify(list, null, 2));
    return EXIT.pass;
  }
  terminal.print(terminal.style("Links, for the whole run", "strong"));
  for (const one of LINK_FAULT_HELP) tell(one, terminal);
  terminal.print();
  terminal.print(terminal.style("At a time: `at 2s..5s`; `at 2s` to the end of the run", "strong"));
  for (const one of SCHEDULED_FAULT_HELP) tell(one, terminal);
  terminal.print();
  terminal.print(
    "Commas or line ends separate them; # begins a comment. --faults takes the text, or a file of it:",
  );
  terminal.print(
    "  lightcone sim ricart-agrawala --faults 'delay 5..50ms, loss 10%, pause P1 at 50ms..90ms'",
  );
  return EXIT.pass;
}

function tell({ meaning, example }: FaultHelp, terminal: Terminal): void {
  terminal.print(`  ${terminal.style(example, "accent")}`);
  terminal.print(`      ${meaning}`);
}
