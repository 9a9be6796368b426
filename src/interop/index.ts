export * from "./classic-format.js";
export { CLASSIC_FORMATS } from "./classic-formats.js";
export { parsePythonFloat, pythonFloat } from "./python-float.js";
export * from "./classic-vector-clock.js";
