import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lightcone, stateHome } from "../support/lightcone.js";

/** What was typed, and the one line that must answer it. */
const UNUSABLE: readonly (readonly [args: string, answer: RegExp])[] = [
  ["", /name a command; see lightcone --help/],
  ["rnu ricart-agrawala", /unknown command "rnu"; did you mean "run"\?/],
  ["run", /missing required argument 'lab'; see lightcone run --help$/m],
  ["process", /required option '--id <number>' not specified; see lightcone process --help$/m],
  ["labs --jsno", /unknown option "--jsno"; did you mean "--json"\? See lightcone labs --help$/m],
  ["run ricart", /unknown lab "ricart"; did you mean "ricart-agrawala"\? Known: /],
  ["run ricart-agrawala --entrys 3", /unknown option "--entrys"; did you mean "--entries"\?/],
  ["sim ricart-agrawala --sed 3", /unknown option "--sed"; did you mean "--seed"\?/],
  ["sim --entries 3 ricart-agrawala", /name the lab first/],
  ["run ricart-agrawala extra", /"extra" is one argument too many/],
  ["run ricart-agrawala --transport tpc", /unknown transport "tpc"; did you mean "tcp"\? Known: tcp, uds/],
  ["run ricart-agrawala -n four", /-n takes a whole number; "four" given/],
  ["run ricart-agrawala -n 1", /-n 1: ricart-agrawala runs with 2 to 1000 processes/],
  ["run ricart-agrawala -n 1e3", /-n takes a whole number; "1e3" given/],
  ["compare mutexes", /unknown family "mutexes"; did you mean "mutex"\?/],
  ["compare election --entries 3", /--entries says how often each process enters; election has no entries/],
  ["compare mutex -n 1..4", /-n 1: lamport runs with 2 to 1000 processes/],
  ["compare mutex -n 0", /-n 0: lamport runs with 2 to 1000 processes/],
  ["compare mutex -n 8..2", /-n 8..2 goes down; write 2..8/],
  ["compare mutex -n some", /-n takes a number or a range such as 2..64; "some" given/],
  ["compare mutex -n 2..1000", /a comparison takes at most 256 processes/],
  ["compare mutex -n 2 --entries 0", /--entries takes 1 to 100000; 0 given/],
  ["compare mutex -n 2 --faults nonsense", /nonsense/],
  ["sim maekawa -n 4 --quorums P1|P2|P3|P4", /the quorums of P1 \(P1\) and P2 \(P2\) do not intersect/],
  ["sim raymond --tree bush", /unknown tree "bush"/],
  ["sim ricart-agrawala --seed -1", /--seed takes a whole number|argument missing/],
  ["sim ricart-agrawala --seeds 0", /--seeds takes a whole number from 1 up; 0 given/],
  ["run ricart-agrawala --duration soon", /"soon" is not a duration; write a number and a unit/],
  ["run ricart-agrawala --duration 0ms", /ends before it begins/],
  ["run ricart-agrawala --hold 20", /"20" is not a duration/],
  ["run ricart-agrawala --entries", /--entries needs a value/],
  ["run ricart-agrawala --entries 0", /--entries takes 1 to 100000; 0 given/],
  ["sim ricart-agrawala --faults los\u00a010%", /los/],
  ["sim ricart-agrawala --faults lose", /"lose"/],
  ["sim ricart-agrawala -n 3 --faults crash\u00a0P9\u00a0at\u00a03s", /P9/],
  ["run ./nowhere.ts", /cannot read the lab file \.\/nowhere\.ts/],
  ["check nowhere.trace", /cannot read the trace nowhere\.trace/],
  [
    "show --event P2",
    /"P2" does not name an event; an event is PROCESS:NUMBER, such as P2:8|no run to show yet/,
  ],
  [
    "call calculator foo 1 --to tcp://127.0.0.1:1",
    /unknown method of calculator "foo".* Known: add, subtract, multiply/,
  ],
  ["call hello hello --to tcp://127.0.0.1:1", /hello takes 1 argument, name; 0 given/],
  ["call hello hello Ana --deadline 0ms --to tcp://127.0.0.1:1", /a deadline is more than 0 and at most 5m/],
  ["call hello hello Ana --to foo://x", /unknown transport "foo".* Known: tcp, uds, fifo, udp, ws, tls/],
  ["completion tcsh", /unknown shell "tcsh".* Known: bash, zsh, fish$/m],
];

describe("unusable input: status 2, one line, nothing started", () => {
  test.each(UNUSABLE)("lightcone %s", async (line, answer) => {
    // A no-break space stands for a space inside one argument.
    const args = line
      .split(" ")
      .filter((arg) => arg !== "")
      .map((arg) => arg.replaceAll("\u00a0", " "));
    const { status, stdout, stderr } = await lightcone(args, { cwd: stateHome });
    expect(stderr).toMatch(answer);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/^lightcone: /);
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });
});

test("with --json, what went wrong is an object too", async () => {
  const { status, stdout, stderr } = await lightcone(["run", "nolab", "--json"]);
  expect(JSON.parse(stdout)).toEqual({ error: stderr.replace("lightcone: ", "").trimEnd(), status });
  expect(status).toBe(2);
});

describe("a file that is no trace: its name, the line, what was expected", () => {
  test.each([
    ["empty.trace", "", /empty\.trace line 1: expected the header of a trace; the file is empty/],
    ["text.trace", "hello\n", /text\.trace line 1: expected the header of a trace/],
    ["json.trace", '{"a":1}\n', /json\.trace line 1: expected the header of a trace/],
    [
      "newer.trace",
      '{"format":"lightcone-trace","version":99}\n',
      /newer\.trace line 1: expected version 1 .* found 99; read it with a newer Lightcone/,
    ],
  ])("%s", async (name, content, answer) => {
    const path = join(stateHome, name);
    writeFileSync(path, content);
    for (const command of ["check", "show", "replay"]) {
      const { status, stderr } = await lightcone([command, path]);
      expect(stderr).toMatch(answer);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(status).toBe(2);
    }
  });
});
