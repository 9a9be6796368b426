import type { Plain } from "../../core/index.js";
import { unknownMethod, type Service } from "./service.js";

/** How many operations the calculator has done: the effect by which a second run of one call would show. */
export interface CalculatorState {
  readonly operations: number;
}

type Operation = (a: number, b: number) => number;

const METHODS = ["add", "subtract", "multiply", "divide", "power", "root"] as const;

export type CalculatorMethod = (typeof METHODS)[number];

const OPERATIONS: Readonly<Record<CalculatorMethod, Operation>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  power,
  root,
};

/** Takes two numbers, `{ a, b }`, and refuses what has no finite result: division by zero, roots of negatives, overflow. */
export const calculator: Service<CalculatorState, CalculatorMethod> = {
  name: "calculator",
  methods: METHODS,
  parameters: [
    { name: "a", kind: "number" },
    { name: "b", kind: "number" },
  ],
  initial: { operations: 0 },

  check(method, args) {
    const unknown = unknownMethod(method, METHODS);
    if (unknown !== undefined) return unknown;
    const operands = operandsOf(args);
    if (operands === undefined) return `${method} takes two numbers, a and b`;
    const { a, b } = operands;
    if (method === "divide" && b === 0) return "division by zero; give a divisor other than 0";
    if (method === "root" && !(Number.isInteger(b) && b >= 1)) {
      return `the degree of a root is a whole number from 1 up; ${b} given`;
    }
    const value = calculate(method, operands);
    if (Number.isNaN(value)) return `${method} of ${a} and ${b} is not a real number`;
    if (!Number.isFinite(value)) return `${method} of ${a} and ${b} is beyond 1.8e308`;
    return undefined;
  },

  handle(state, method, args) {
    const operands = operandsOf(args) ?? { a: 0, b: 0 };
    return { state: { operations: state.operations + 1 }, value: calculate(method, operands) };
  },
};

interface Operands {
  readonly a: number;
  readonly b: number;
}

function operandsOf(args: Plain): Operands | undefined {
  if (typeof args !== "object" || args === null || !("a" in args) || !("b" in args)) return undefined;
  const { a, b } = args;
  if (typeof a !== "number" || typeof b !== "number") return undefined;
  return Number.isFinite(a) && Number.isFinite(b) ? { a, b } : undefined;
}

function calculate(method: string, { a, b }: Operands): number {
  const known = METHODS.find((name) => name === method);
  // Plus zero: -0 would come back from a trace as 0.
  return known === undefined ? NaN : OPERATIONS[known](a, b) + 0;
}

// A run must come out the same in every engine, and the last digit of `**` need not: so powers and roots are made of
// multiplications, except powers with a fraction for an exponent.
function power(a: number, exponent: number): number {
  if (!Number.isInteger(exponent)) return a ** exponent;
  let result = 1;
  let factor = a;
  for (let left = Math.abs(exponent); left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= factor;
    factor *= factor;
  }
  return exponent < 0 ? 1 / result : result;
}

/** The number whose `degree`-th power is nearest to `a`: whole where there is a whole one. */
function root(a: number, degree: number): number {
  if (a < 0) return degree % 2 === 1 ? -root(-a, degree) : NaN;
  if (degree === 1 || a === 0) return a;
  if (degree === 2) return Math.sqrt(a);
  let low = 1;
  while (power(low, degree) > a) low /= 2;
  while (power(low * 2, degree) <= a) low *= 2;
  let high = low * 2;
  // Halves the bracket until nothing lies between: 53 times, a double's digits.
  for (let middle = (low + high) / 2; low < middle && middle < high; middle = (low + high) / 2) {
    if (power(middle, degree) <= a) low = middle;
    else high = middle;
  }
  return a - power(low, degree) <= power(high, degree) - a ? low : high;
}
