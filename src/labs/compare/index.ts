export * from "./compare.js";
export type { Column, Family, FamilyMember, Load, Meter, Reading, Trial } from "./family.js";
