import type { Plain } from "../../core/index.js";
import { unknownMethod, type Service } from "./service.js";

/** How many operations the calculator has done: the effect by which a second run of one call would show. */
export interface CalculatorState {
  readonly operations: number;
}

type Operation = (a: number, b: number) => number;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  // The last digit of a power of fractions may depend on the engine; small whole numbers come out exact in all.
  power: (a, b) => a ** b,
  root,
};

const METHODS = Object.keys(OPERATIONS);

/** Takes two numbers, `{ a, b }`, and refuses what has no finite result: division by zero, roots of negatives, overflow. */
export const calculator: Service<CalculatorState> = {
  name: "calculator",
  methods: METHODS,
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
  const operation = Object.hasOwn(OPERATIONS, method) ? OPERATIONS[method] : undefined;
  // Plus zero: -0 would come back from a trace as 0.
  return operation === undefined ? NaN : operation(a, b) + 0;
}

/** The `degree`-th root; whole when it is whole, where `a ** (1 / 3)` gives 3.9999999999999996 for 64. */
function root(a: number, degree: number): number {
  if (degree === 2) return Math.sqrt(a);
  const odd = degree % 2 === 1;
  if (a < 0 && !odd) return NaN;
  const near = Math.abs(a) ** (1 / degree);
  const whole = Math.round(near);
  const size = whole ** degree === Math.abs(a) ? whole : near;
  return a < 0 ? -size : size;
}
