import type { ClassicFormat } from "./classic-format.js";
import { classicHello } from "./classic-hello.js";
import { classicMultiplication } from "./classic-multiplication.js";
import { classicRandomNumbers } from "./classic-random-numbers.js";

/** What `--classic` of `lightcone serve` and `lightcone call` can speak, by the name of the service. */
export const CLASSIC_FORMATS: readonly ClassicFormat[] = [
  classicHello,
  classicMultiplication,
  classicRandomNumbers,
];
