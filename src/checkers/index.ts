export * from "./checker.js";
