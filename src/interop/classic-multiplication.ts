import { nearestName, UsageError } from "../core/index.js";
import { calculator } from "../protocols/index.js";
import { exchangeText } from "./classic-exchange.js";
import { ClassicError, ERROR_PREFIX, quote, type ClassicFormat } from "./classic-format.js";
import { outcomeOf, serveText, type TextAnswer, type TextFormat } from "./classic-text.js";
import { parsePythonFloat, pythonFloat } from "./python-float.js";

const ACKNOWLEDGEMENT = "Data received";

/**
 * Multiplication: `5 10` to the server, `Data received` and `50.0` back, as two writes.
 *
 * Two bare numbers are multiplied as the published server does it, so their product may be `inf` or `nan`. In our
 * dialect an operation may stand before them, `divide 1 3`, by the rules of the service `calculator`. Errors are a text
 * that begins with `error: `, in place of the result.
 */
export const classicMultiplication: ClassicFormat = {
  service: "calculator",
  usual: "tcp://127.0.0.1:65432",
  calls: [
    ["multiply 5 10", "a product, of any server of the format"],
    ["divide 1 3", "and add, subtract, power, root: of ours"],
  ],
  methods: calculator.methods,

  serve: (options) => serveText(MULTIPLICATION, options),

  async call(method, words, options) {
    checkCall(method, words);
    const request = method === "multiply" ? words.join(" ") : [method, ...words].join(" ");
    const { to, step } = options;
    step?.(`sent ${quote(request)}`);
    let acknowledged = false;
    const reply = await exchangeText(request, options, (text) => {
      if (!acknowledged && text.startsWith(ACKNOWLEDGEMENT)) {
        acknowledged = true;
        step?.(`acknowledged: ${ACKNOWLEDGEMENT}`);
      }
      return false;
    });
    if (reply === "") return { kind: "unknown", reason: `${to} closed without a word` };
    if (reply.startsWith(ERROR_PREFIX)) return outcomeOf(reply);
    if (!reply.startsWith(ACKNOWLEDGEMENT)) {
      throw new ClassicError("bad-reply", `${to} did not acknowledge but answered ${quote(reply)}`);
    }
    // The two writes may have come as one.
    const result = reply.slice(ACKNOWLEDGEMENT.length).trim();
    if (result === "") return { kind: "unknown", reason: `${to} acknowledged and closed without a result` };
    const outcome = outcomeOf(result);
    if (outcome.kind === "ok" && parsePythonFloat(result) === undefined) {
      throw new ClassicError("bad-reply", `the result from ${to} is not a number: ${quote(result)}`);
    }
    return outcome;
  },
};

const MULTIPLICATION: TextFormat = {
  acknowledgement: ACKNOWLEDGEMENT,
  whole(request) {
    const words = request.split(/\s+/).filter((word) => word !== "");
    // "5 1" may be the beginning of "5 10".
    return words.length < (isOperation(words[0]) ? 3 : 2) ? "not-yet" : "perhaps";
  },
  answer: (request) => answerTo(request.split(/\s+/)),
};

function answerTo(words: readonly string[]): TextAnswer {
  const failed = (reason: string): TextAnswer => ({ kind: "failed", reason });
  const [first = ""] = words;
  const operands = isOperation(first) ? words.slice(1) : words;
  if (operands.length !== 2) {
    const hint = operands.length > 2 && !isNumber(first) ? unknownOperation(first) : "";
    return failed(`two numbers are needed, such as 5 10; ${operands.length} given${hint}`);
  }
  const [a, b] = operands.map(parsePythonFloat);
  if (a === undefined || b === undefined) {
    return failed(
      `${quote((a === undefined ? operands[0] : operands[1]) ?? "")} is not a number; write digits, such as 5 or -2.5`,
    );
  }
  if (operands === words) return { kind: "ok", text: pythonFloat(a * b) };
  const problem = calculator.check(first, { a, b });
  if (problem !== undefined) return failed(problem);
  const { value } = calculator.handle(calculator.initial, first, { a, b });
  return { kind: "ok", text: pythonFloat(Number(value)) };
}

function checkCall(method: string, words: readonly string[]): void {
  if (!isOperation(method))
    throw new UsageError(`there is no operation ${quote(method)}${unknownOperation(method)}`);
  if (words.length !== 2) throw new UsageError(`${method} takes two numbers; ${words.length} given`);
  for (const word of words) {
    if (!isNumber(word))
      throw new UsageError(`${quote(word)} is not a number; write digits, such as 5 or -2.5`);
  }
}

function unknownOperation(given: string): string {
  const nearest = nearestName(given, calculator.methods);
  const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  return `${hint || "."} Operations: ${calculator.methods.join(", ")}`;
}

function isOperation(word: string | undefined): boolean {
  return calculator.methods.some((method) => method === word);
}

function isNumber(word: string): boolean {
  return parsePythonFloat(word) !== undefined;
}
