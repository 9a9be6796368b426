export type { TransportClaim, TransportFixture } from "./transport-claims.js";
export { transportClaims } from "./transport-claims.js";
export type { TestRunner, TransportSubject } from "./transport-compliance.js";
export { transportCompliance } from "./transport-compliance.js";
