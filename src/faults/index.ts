export * from "./injector.js";
export * from "./plan.js";
