import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";
import { UsageError, unknownName } from "../core/index.js";
import { labs } from "../labs/index.js";
import { EXIT } from "./exit-status.js";
import { TRANSPORTS } from "./transports.js";

const SHELLS = ["bash", "zsh", "fish", "powershell"];

/** `completion bash` prints the script; `complete -- …` is what that script asks at each Tab. */
export async function completions(program: Command, args: readonly string[]): Promise<number> {
  // The library's own command takes the name `complete`; ours with the same purpose would stand in its way.
  const completion = tab(program, { completionCommandName: "complete" });
  for (const name of ["run", "sim", "labs"]) {
    const command = completion.commands.get(name);
    command?.argument("lab", (complete) => {
      for (const lab of labs) complete(lab.id, lab.title);
    });
    const transport = command?.options.get("transport");
    if (transport !== undefined) {
      transport.handler = (complete) => {
        for (const scheme of Object.keys(TRANSPORTS)) complete(scheme, "");
      };
    }
  }
  const [first] = args;
  if (first !== "--") {
    if (first === undefined) throw new UsageError(`name a shell: ${SHELLS.join(", ")}`);
    if (!SHELLS.includes(first)) throw unknownName("shell", first, SHELLS);
  }
  await program.parseAsync(["complete", ...args], { from: "user" });
  return EXIT.pass;
}
