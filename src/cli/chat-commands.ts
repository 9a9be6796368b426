import { nearestName, unknownName } from "../core/index.js";
import type { ChatError } from "../host/index.js";

/** The errors that can be simulated, as a user types them. */
const CHAT_ERRORS: readonly ChatError[] = ["connection", "send", "reception"];

/** What a line typed into a chat says. */
export type ChatLine =
  | { readonly kind: "say"; readonly text: string }
  | { readonly kind: "error"; readonly error: ChatError; readonly on: boolean }
  | { readonly kind: "who" | "help" | "quit" | "nothing" }
  | { readonly kind: "unclear"; readonly reason: string };

export const CHAT_HELP =
  "/who  who is there      /quit  leave      //text  a message that begins with a slash\n" +
  "/error connection|send|reception on|off   simulate an error, for yourself alone";

/** Reads a line: a command begins with one slash. */
export function chatLine(line: string): ChatLine {
  if (line.trim() === "") return { kind: "nothing" };
  if (!line.startsWith("/")) return { kind: "say", text: line };
  if (line.startsWith("//")) return { kind: "say", text: line.slice(1) };
  const [command = "", ...words] = line.slice(1).trim().split(/\s+/);
  switch (command) {
    case "who":
    case "help":
    case "quit":
      return { kind: command };
    case "error":
      return errorLine(words);
    default: {
      const nearest = nearestName(command, ["who", "help", "quit", "error"]);
      const hint = nearest === undefined ? "" : `; did you mean /${nearest}?`;
      return { kind: "unclear", reason: `there is no command /${command}${hint} /help lists them` };
    }
  }
}

function errorLine([which = "", state = "", ...more]: readonly string[]): ChatLine {
  const error = CHAT_ERRORS.find((name) => name === which);
  if (error === undefined || (state !== "on" && state !== "off") || more.length > 0) {
    return { kind: "unclear", reason: "say /error connection|send|reception on|off, such as /error send on" };
  }
  return { kind: "error", error, on: state === "on" };
}

/** `--error send,reception`; throws a `UsageError` that lists those there are. */
export function chatErrors(given: string | undefined): readonly ChatError[] {
  return (given?.split(",") ?? []).map((name) => {
    const found = CHAT_ERRORS.find((error) => error === name.trim());
    if (found === undefined) throw unknownName("error to simulate", name, CHAT_ERRORS);
    return found;
  });
}
