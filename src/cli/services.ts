import { unknownName, UsageError, type Plain } from "../core/index.js";
import { calculator, hello, randomNumbers, type Service } from "../protocols/index.js";

// oxlint-disable-next-line typescript/no-explicit-any -- a service takes back the state it gave; nobody else looks at it
const SERVICES: readonly Service<any>[] = [hello, calculator, randomNumbers];

/** The service of that name; throws a `UsageError` that names the nearest. */
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export function findService(name: string): Service<any> {
  const found = SERVICES.find((service) => service.name === name);
  if (found !== undefined) return found;
  throw unknownName(
    "service",
    name,
    SERVICES.map((service) => service.name),
  );
}

/**
 * Words of a command line as arguments of a method; text that comes last takes all that is left.
 *
 * Throws `UsageError` for a method that the service does not have, too many or too few words, and what is no number.
 */
export function argumentsOf(
  { name, methods, parameters }: Service<unknown>,
  method: string,
  given: readonly string[],
): Plain {
  if (!methods.includes(method)) throw unknownName(`method of ${name}`, method, methods);
  const last = parameters.length - 1;
  const words =
    parameters[last]?.kind === "text" && given.length > last
      ? [...given.slice(0, last), given.slice(last).join(" ")]
      : given;
  const needed = parameters.filter(({ optional }) => optional !== true).length;
  if (words.length < needed || words.length > parameters.length) {
    const wanted = parameters.map((parameter) => parameter.name).join(" and ");
    const many = needed === parameters.length ? `${needed}` : `${needed} to ${parameters.length}`;
    const noun = many === "1" ? "argument" : "arguments";
    throw new UsageError(`${method} takes ${many} ${noun}, ${wanted}; ${words.length} given`);
  }
  return Object.fromEntries(
    parameters.slice(0, words.length).map((parameter, i) => {
      const word = words[i] ?? "";
      return [parameter.name, parameter.kind === "text" ? word : number(word)];
    }),
  );
}

function number(word: string): number {
  const value = Number(word);
  if (word.trim() === "" || !Number.isFinite(value)) {
    throw new UsageError(`"${word}" is not a number; write digits, such as 5, -2.5 or 1e6`);
  }
  return value;
}
