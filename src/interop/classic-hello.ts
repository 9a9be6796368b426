import { UsageError } from "../core/index.js";
import { exchangeText } from "./classic-exchange.js";
import { ClassicError, quote, type ClassicFormat } from "./classic-format.js";
import { outcomeOf, serveText, type TextAnswer, type TextFormat } from "./classic-text.js";

/** What the published client says; ours says the same. */
const GREETING = "Hello from client";
const ANSWER = "Hello from server";

/**
 * Experiment 7 of the laboratory: `Hello from client`, `Hello from server`, both close.
 *
 * Like the published server, ours answers whatever text it is greeted with. With `base64` both texts are encoded: an
 * encoding, which keeps nothing secret; for encryption there is TLS.
 */
export const classicHello: ClassicFormat = {
  service: "hello",
  usual: "tcp://127.0.0.1:12345",
  calls: [["hello", "greets"]],
  methods: ["hello"],

  serve: (options) => serveText(options.base64 === true ? ENCODED : PLAIN, options),

  async call(method, words, options) {
    if (method !== "hello" || words.length > 0) {
      throw new UsageError(
        "the classic hello has no name in it: lightcone call hello hello --classic --to URL",
      );
    }
    const { base64 = false, step } = options;
    const said = base64 ? toBase64(GREETING) : GREETING;
    step?.(`sent ${quote(said)}${base64 ? `, base64 of ${quote(GREETING)}: encoded, not encrypted` : ""}`);
    const wanted = base64 ? toBase64(ANSWER) : ANSWER;
    const reply = (await exchangeText(said, options, (text) => text === wanted)).trim();
    if (reply === "") return { kind: "unknown", reason: `${options.to} closed without an answer` };
    const outcome = outcomeOf(reply);
    if (outcome.kind !== "ok" || !base64) return outcome;
    const decoded = fromBase64(reply);
    if (decoded === undefined) {
      throw new ClassicError("bad-reply", `${options.to} did not answer in base64 but ${quote(reply)}`);
    }
    return { kind: "ok", value: decoded };
  },
};

const PLAIN: TextFormat = {
  whole: (request) => (request === GREETING ? "certainly" : "perhaps"),
  answer: () => ({ kind: "ok", text: ANSWER }),
};

const ENCODED: TextFormat = {
  whole: (request) => (request === toBase64(GREETING) ? "certainly" : "perhaps"),
  answer(request): TextAnswer {
    return fromBase64(request) === undefined
      ? { kind: "failed", reason: "this server takes its greeting in base64" }
      : { kind: "ok", text: toBase64(ANSWER) };
  },
};

function toBase64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** `undefined` for what is not base64 of UTF-8; Node's own decoder skips what it cannot read. */
function fromBase64(text: string): string | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(text, "base64"));
  } catch {
    return undefined;
  }
}
