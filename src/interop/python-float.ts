/**
 * The text that Python 3 prints for a float: `50.0`, `0.1`, `1e+22`, `1e-05`, `-0.0`, `inf`, `nan`.
 *
 * The digits are JavaScript's, for both languages give the shortest that read back the same; only the places at which
 * an exponent begins, and its form, differ. Source: the Python library reference, `float.__repr__`.
 */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return "nan";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const size = Math.abs(value);
  if (size === Infinity) return `${sign}inf`;
  if (size === 0) return `${sign}0.0`;
  const [mantissa = "", exponentText = ""] = size.toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const exponent = Number(exponentText);
  if (exponent < FIXED_EXPONENT_MIN || exponent > FIXED_EXPONENT_MAX) {
    const places = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${mantissa}e${exponent < 0 ? "-" : "+"}${places}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`;
}

// 0.0001 and 9999999999999998.0 are the last on either side without an exponent.
const FIXED_EXPONENT_MIN = -4;
const FIXED_EXPONENT_MAX = 15;

/** What Python's `float()` makes of a word, or `undefined`: `5`, `-2.5e3`, `1_000`, `inf`, `nan`. ASCII digits only. */
export function parsePythonFloat(word: string): number | undefined {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(word);
  if (special !== null) {
    const size = special[2]?.toLowerCase() === "nan" ? NaN : Infinity;
    return special[1] === "-" ? -size : size;
  }
  if (!/^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?$/i.test(word)) {
    return undefined;
  }
  return Number(word.replaceAll("_", ""));
}
