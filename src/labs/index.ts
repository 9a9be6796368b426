export * from "./lab.js";
