import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import { UsageError } from "../../core/index.js";
import type { ProcessView } from "../../page/index.js";
import { PageError, readFields, refusalOf } from "./page-requests.js";

/** Pages that are kept up to date at once; a further one is told to come back. */
export const LIVE_PAGES_MAX = 32;

/** Connections at once; further ones are closed. */
const CONNECTIONS_MAX = 128;

/** Changes that come within it reach a page together. Milliseconds. */
const GATHER_MS = 40;

/** So often a quiet page hears that the process is alive. Milliseconds. */
const HEARTBEAT_MS = 15_000;

export interface PageActions {
  readonly pid: string;
  view(): ProcessView;
  /** Throws a `UsageError` for what cannot be sent. */
  say(text: string, address: string): void;
  fetch(): { readonly message: string; readonly sender_ip: string } | undefined;
}

/** The page of one process, on the loopback interface: the page itself, its live view, and the classic three calls. */
export class PageServer implements AsyncDisposable {
  readonly #actions: PageActions;
  readonly #server: Server;
  readonly #live = new Set<ServerResponse>();
  readonly #heartbeat: NodeJS.Timeout;
  #gathering: NodeJS.Timeout | undefined;

  private constructor(actions: PageActions) {
    this.#actions = actions;
    this.#server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => this.#fail(error, response));
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#heartbeat = setInterval(() => {
      for (const response of this.#live) if (!response.writableNeedDrain) response.write(": alive\n\n");
    }, HEARTBEAT_MS).unref();
  }

  /** Port 0 lets the system choose; rejects with a `UsageError` when the port cannot be had. */
  static async open(port: number, actions: PageActions): Promise<PageServer> {
    const page = new PageServer(actions);
    page.#server.listen(port, "127.0.0.1");
    try {
      await once(page.#server, "listening");
    } catch (error) {
      clearInterval(page.#heartbeat);
      const why = error instanceof Error && "code" in error ? String(error.code) : "the system refused";
      const what = why === "EADDRINUSE" ? "is in use by another process" : `cannot be had (${why})`;
      throw new UsageError(
        `--page: port ${port} ${what}; choose another, or 0 for any`,
        { port },
        { cause: error },
      );
    }
    return page;
  }

  get port(): number {
    const bound = this.#server.address();
    return typeof bound === "object" && bound !== null ? bound.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** The view has changed: tells the pages soon. */
  changed(): void {
    if (this.#live.size === 0) return;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      const event = eventOf(this.#actions.view());
      for (const response of this.#live) show(response, event);
    }, GATHER_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#gathering);
    clearInterval(this.#heartbeat);
    for (const response of this.#live) response.end();
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const refusal = refusalOf(request, this.port);
    if (refusal !== undefined) throw new PageError(403, refusal);
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    const route = ROUTES.get(path);
    if (route === undefined) throw new PageError(404, "there is nothing here");
    const method = request.method === "HEAD" ? "GET" : request.method;
    if (method !== route.method) {
      response.setHeader("allow", route.method);
      throw new PageError(405, `${path} takes ${route.method}`);
    }
    switch (route.kind) {
      case "file":
        response.setHeader("content-type", `${route.type}; charset=utf-8`);
        response.end(readFileSync(new URL(route.file, import.meta.url)));
        return;
      case "events":
        this.#goLive(response);
        return;
      case "view":
        json(response, 200, this.#actions.view());
        return;
      case "send":
        await this.#send(request, response);
        return;
      case "receive": {
        const next = this.#actions.fetch();
        if (next === undefined) response.writeHead(204).end();
        else json(response, 200, next);
        return;
      }
      case "id":
        json(response, 200, { pid: this.#actions.pid });
        return;
    }
  }

  async #send(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { message, address } = await readFields(request);
    try {
      this.#actions.say(message, address);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new PageError(400, error.message);
    }
    json(response, 200, { status: "Message sent" });
  }

  #goLive(response: ServerResponse): void {
    if (this.#live.size >= LIVE_PAGES_MAX) {
      throw new PageError(503, `${LIVE_PAGES_MAX} pages are open already; close one`);
    }
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    this.#live.add(response);
    response.on("close", () => this.#live.delete(response));
    // Whoever did not keep up gets what is true when it has.
    response.on("drain", () => show(response, eventOf(this.#actions.view())));
    show(response, eventOf(this.#actions.view()));
  }

  #fail(error: unknown, response: ServerResponse): void {
    if (!(error instanceof PageError)) throw error;
    if (error.status === 413) response.setHeader("connection", "close");
    if (!response.headersSent) json(response, error.status, { status: "error", error: error.message });
    else response.destroy();
  }
}

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
} as const;

type Route = { readonly method: "GET" | "POST" } & (
  | { readonly kind: "file"; readonly file: string; readonly type: string }
  | { readonly kind: "events" | "view" | "send" | "receive" | "id" }
);

// The package ships `src` as well as `dist`: what the compiler does not copy is read from where it was written.
const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["/", { method: "GET", kind: "file", file: "../../../src/page/page.html", type: "text/html" }],
  ["/page.css", { method: "GET", kind: "file", file: "../../../src/page/page.css", type: "text/css" }],
  ["/icon.svg", { method: "GET", kind: "file", file: "../../../src/page/icon.svg", type: "image/svg+xml" }],
  ["/client.js", { method: "GET", kind: "file", file: "../../page/client.js", type: "text/javascript" }],
  ["/events", { method: "GET", kind: "events" }],
  ["/view", { method: "GET", kind: "view" }],
  ["/send_message", { method: "POST", kind: "send" }],
  ["/receive_message", { method: "GET", kind: "receive" }],
  ["/get_id", { method: "GET", kind: "id" }],
]);

function eventOf(view: ProcessView): string {
  return `data: ${JSON.stringify(view)}\n\n`;
}

/** A page that does not read gets nothing more until it has. */
function show(response: ServerResponse, event: string): void {
  if (!response.writableNeedDrain) response.write(event);
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
  response.end(`${JSON.stringify(value)}\n`);
}
