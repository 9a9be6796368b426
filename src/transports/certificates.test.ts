import { execFileSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../core/index.js";
import { createAuthority } from "./certificates.js";
import { integer, objectIdentifier, octetString, time } from "./der.js";

describe("DER", () => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

  test("X.690 8.19.5: an object identifier's first two numbers share a byte, the others are base 128", () => {
    expect(hex(objectIdentifier("2.100.3"))).toBe("0603813403");
    expect(hex(objectIdentifier("1.2.840.10045.4.3.2"))).toBe("06082a8648ce3d040302");
  });

  test("X.690 8.3: an integer has no byte too many, and none that makes it negative", () => {
    expect(hex(integer(Uint8Array.of()))).toBe("020100");
    expect(hex(integer(Uint8Array.of(0, 0, 1)))).toBe("020101");
    expect(hex(integer(Uint8Array.of(0x80)))).toBe("02020080");
  });

  test("X.690 8.1.3: lengths from 128 up are written with their own length", () => {
    expect(hex(octetString(new Uint8Array(127))).slice(0, 4)).toBe("047f");
    expect(hex(octetString(new Uint8Array(128))).slice(0, 6)).toBe("048180");
    expect(hex(octetString(new Uint8Array(65_536))).slice(0, 10)).toBe("0483010000");
  });

  test("RFC 5280, 4.1.2.5: two digits for the year until 2049, four from then on", () => {
    const text = (date: string): string => Buffer.from(time(new Date(date))).toString("latin1");
    expect(text("2049-12-31T23:59:59.999Z")).toBe("\x17\x0d491231235959Z");
    expect(text("2050-01-01T00:00:00Z")).toBe("\x18\x0f20500101000000Z");
  });
});

const OPENSSL = "openssl";

const authority = createAuthority({ name: "Test authority" });

describe("a certificate", () => {
  test("says what was asked for, and its authority signed it", () => {
    const { cert, key } = authority.issue({
      name: "P1",
      hosts: ["localhost", "127.0.0.1", "::1", "2001:db8::ff00:42:8329", "::ffff:10.0.0.7"],
      notBefore: new Date("2030-01-02T03:04:05Z"),
      notAfter: new Date("2055-06-07T08:09:10Z"),
    });
    const parsed = new X509Certificate(cert);
    const issuer = new X509Certificate(authority.cert);
    expect(parsed.subject).toBe("CN=P1");
    expect(parsed.issuer).toBe("CN=Test authority");
    expect(parsed.validFrom).toBe("Jan  2 03:04:05 2030 GMT");
    expect(parsed.validTo).toBe("Jun  7 08:09:10 2055 GMT");
    expect(parsed.subjectAltName).toBe(
      "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:2001:DB8:0:0:0:FF00:42:8329, IP Address:0:0:0:0:0:FFFF:A00:7",
    );
    expect(parsed.ca).toBe(false);
    expect(issuer.ca).toBe(true);
    expect(parsed.checkIssued(issuer)).toBe(true);
    expect(parsed.verify(issuer.publicKey)).toBe(true);
    expect(parsed.verify(new X509Certificate(createAuthority().cert).publicKey)).toBe(false);
    expect(parsed.checkPrivateKey(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey)).toBe(false);
    expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true);
  });

  test("has a serial number of its own, never negative", () => {
    const serials = Array.from(
      { length: 50 },
      () => new X509Certificate(authority.issue({ name: "x", hosts: ["x"] }).cert).serialNumber,
    );
    expect(new Set(serials).size).toBe(50);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  test("keeps any subject as it is, and stays readable", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }), (name) => {
        const cert = new X509Certificate(authority.issue({ name, hosts: ["h"] }).cert);
        const values = cert.toLegacyObject().subject.CN;
        expect(values).toBe(name);
      }),
      { numRuns: 50 },
    );
  });

  test.each(["", "a b", "-a", "a..b", "fe80::1%eth0", "x\0y", "ä.example", `${"a".repeat(64)}.example`])(
    "is refused for the host %j in one line",
    (host) => {
      expect(() => authority.issue({ name: "x", hosts: [host] })).toThrow(UsageError);
    },
  );

  test("is accepted by OpenSSL's strict check, as server and as client", (context) => {
    try {
      execFileSync(OPENSSL, ["version"], { stdio: "ignore" });
    } catch {
      context.skip("openssl is not installed");
    }
    const folder = mkdtempSync(join(tmpdir(), "lightcone-x509-"));
    try {
      writeFileSync(join(folder, "ca.pem"), authority.cert);
      writeFileSync(
        join(folder, "cert.pem"),
        authority.issue({ name: "x", hosts: ["localhost", "::1"] }).cert,
      );
      for (const purpose of ["sslserver", "sslclient"]) {
        const args = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", "ca.pem", "cert.pem"];
        expect(execFileSync(OPENSSL, args, { cwd: folder, encoding: "utf8" })).toBe("cert.pem: OK\n");
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
