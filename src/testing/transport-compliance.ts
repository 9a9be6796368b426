import type { TransportFixture } from "./transport-claims.js";
import { transportClaims } from "./transport-claims.js";

/** A transport to be tested. */
export interface TransportSubject {
  /** Shown in the test's name. */
  readonly name: string;
  /** A transport of its own for each test. */
  create(): TransportFixture | Promise<TransportFixture>;
}

/** What this suite needs of vitest, or of any runner with the same two functions. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly test: (name: string, body: () => Promise<void>) => unknown;
}

/**
 * Tests that a transport keeps what its `promises` declare, and what every transport must keep.
 *
 * ```ts
 * import { describe, test } from "vitest";
 * transportCompliance({ name: "tcp", create: () => ({ transport: tcp, address: () => "tcp://127.0.0.1:0" }) }, { describe, test });
 * ```
 *
 * A claim that asks for a promise which the transport does not make passes without being looked at.
 */
export function transportCompliance(subject: TransportSubject, { describe, test }: TestRunner): void {
  describe(`${subject.name} keeps what a transport promises`, () => {
    for (const claim of transportClaims) {
      test(claim.name, async () => {
        const fixture = await subject.create();
        try {
          if (claim.applies(fixture.transport.promises)) await claim.check(fixture);
        } finally {
          await fixture.dispose?.();
        }
      });
    }
  });
}
