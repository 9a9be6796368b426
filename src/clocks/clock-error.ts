import { LightconeError } from "../core/index.js";

/** `clock-rejected`: a peer's stamp cannot be true. `clock-exhausted`: one more event cannot be counted exactly. */
export type ClockErrorCode = "clock-rejected" | "clock-exhausted";

/** A logical clock refused a value; the clock is unchanged. `facts` say which entry, what was given and the limit. */
export class ClockError extends LightconeError {
  declare readonly code: ClockErrorCode;

  constructor(code: ClockErrorCode, message: string, facts: Readonly<Record<string, unknown>> = {}) {
    super(code, message, facts);
  }
}
