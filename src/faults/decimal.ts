/** The shortest plain decimal text of a number times 10^`shift`: exact, where multiplying would round. */
export function decimalText(value: number, shift = 0): string {
  const [mantissa = "", exponent = "0"] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const point = Number(exponent) + shift + 1;
  const sign = value < 0 ? "-" : "";
  if (point <= 0) return value === 0 ? "0" : `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return value === 0 ? "0" : sign + digits.padEnd(point, "0");
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** `0.07` as `7%`: {@link rateOf} reads back exactly the same rate. */
export function percentText(rate: number): string {
  return `${decimalText(rate, 2)}%`;
}

/** The rate that `7` percent are; the decimal point moves in the text, so nothing is rounded twice. */
export function rateOf(percent: string): number {
  return Number(`${percent}e-2`);
}
