import type { IncomingMessage } from "node:http";
import { TEXT_BYTES_MAX } from "./participant.js";

/** Longest body of a request, in bytes: a message with every byte percent-encoded, and some more. */
export const BODY_BYTES_MAX = 4 * TEXT_BYTES_MAX;

/** An answer that says no. */
export class PageError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Why a request is not answered at all, or `undefined`. Everything that keeps other web sites out is here:
 *
 * A site whose name was made to point at this machine (DNS rebinding) has that name in `Host`. A browser that acts for
 * another site says so in `Origin` or `Sec-Fetch-Site`. Programs that are no browsers send neither, and may ask.
 */
export function refusalOf({ headers, url }: IncomingMessage, port: number): string | undefined {
  const hosts = ["127.0.0.1", "localhost"].map((name) => `${name}:${port}`);
  if (headers.host === undefined || !hosts.includes(headers.host.toLowerCase())) {
    return `this page is at http://${hosts[0]}/ and nowhere else`;
  }
  const { origin } = headers;
  if (origin !== undefined && !hosts.some((host) => origin.toLowerCase() === `http://${host}`)) {
    return "another site may not ask this";
  }
  const site = headers["sec-fetch-site"];
  // A link from elsewhere may open the page, which shows nothing to that site; it may not fetch a message, say.
  const opensPage = url === "/" && headers["sec-fetch-mode"] === "navigate";
  if (site !== undefined && site !== "same-origin" && site !== "none" && !opensPage) {
    return "another site may not ask this";
  }
  return undefined;
}

/** Reads `message` and `address` from a form or from JSON; throws {@link PageError} for anything else. */
export async function readFields(request: IncomingMessage): Promise<{ message: string; address: string }> {
  const type = (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded" && type !== "application/json") {
    throw new PageError(415, "send a form (application/x-www-form-urlencoded) or JSON (application/json)");
  }
  const text = await readBody(request);
  return type === "application/json" ? jsonFields(text) : formFields(text);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The answer to a body that is too long needs the connection still.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new PageError(413, `a request has at most ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new PageError(400, "the request is not UTF-8");
  }
}

function formFields(text: string): { message: string; address: string } {
  const fields = new URLSearchParams(text);
  const message = fields.get("message");
  if (message === null) throw new PageError(400, "the form has no field message");
  return { message, address: fields.get("address") ?? "" };
}

function jsonFields(text: string): { message: string; address: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new PageError(400, "the request is not JSON");
  }
  const field = (name: string): unknown =>
    typeof value === "object" && value !== null && Object.hasOwn(value, name)
      ? Reflect.get(value, name)
      : undefined;
  const [message, address = ""] = [field("message"), field("address")];
  if (typeof message !== "string" || typeof address !== "string") {
    throw new PageError(400, 'send {"message": "text", "address": "all"}, both text');
  }
  return { message, address };
}
