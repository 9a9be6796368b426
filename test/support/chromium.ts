import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

/** A Chromium of this machine, or `undefined`. */
export const chromiumPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => existsSync(path),
);

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--hide-scrollbars",
  "--window-size=1440,900",
  // Commands come over a pair of pipes: no port that anybody else could use.
  "--remote-debugging-pipe",
];

/** Waiting for a page ends with an error after this long. Milliseconds. */
const WAIT_MS_MAX = 30_000;

type Answer = {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
};

/** One page in a headless browser with a fresh profile. */
export class BrowserPage implements AsyncDisposable {
  readonly #profile = mkdtempSync(join(tmpdir(), "lightcone-chromium-"));
  readonly #child;
  readonly #write: Writable;
  readonly #pending = new Map<number, (answer: Answer) => void>();
  readonly #ended: Promise<void>;
  #ids = 0;
  #session: string | undefined;

  private constructor(path: string) {
    this.#child = spawn(path, [...FLAGS, `--user-data-dir=${this.#profile}`, "about:blank"], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      // A group of its own: it has a dozen processes, and all must end.
      detached: true,
      env: { ...process.env, TMPDIR: this.#profile },
    });
    this.#write = this.#child.stdio[3] as Writable;
    this.#ended = new Promise((resolve) => this.#child.once("exit", () => resolve()));
    let rest = "";
    (this.#child.stdio[4] as Readable).setEncoding("utf8").on("data", (chunk: string) => {
      const parts = (rest + chunk).split("\0");
      rest = parts.pop() ?? "";
      for (const part of parts) {
        const answer = JSON.parse(part) as Answer;
        if (answer.id !== undefined) this.#pending.get(answer.id)?.(answer);
      }
    });
  }

  static async open(path: string): Promise<BrowserPage> {
    const page = new BrowserPage(path);
    const { targetInfos } = (await page.#call("Target.getTargets")) as {
      targetInfos: { type: string; targetId: string }[];
    };
    const { targetId = "" } = targetInfos.find(({ type }) => type === "page") ?? {};
    const attached = await page.#call("Target.attachToTarget", { targetId, flatten: true });
    page.#session = (attached as { sessionId: string }).sessionId;
    return page;
  }

  goto(url: string): Promise<unknown> {
    return this.#call("Page.navigate", { url });
  }

  /** The value of an expression in the page, which must be plain data. */
  async evaluate(expression: string): Promise<unknown> {
    const options = { expression, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails } = (await this.#call("Runtime.evaluate", options)) as {
      result: { value?: unknown };
      exceptionDetails?: { text: string };
    };
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${exceptionDetails.text}`);
    return result.value;
  }

  /** Resolves once the expression is true in the page. */
  async until(expression: string): Promise<void> {
    const deadline = Date.now() + WAIT_MS_MAX;
    while ((await this.evaluate(`Boolean(${expression})`)) !== true) {
      if (Date.now() > deadline) {
        throw new Error(
          `never true: ${expression}\n${String(await this.evaluate("document.body.innerText"))}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Types at the element that has the focus. */
  type(text: string): Promise<unknown> {
    return this.#call("Input.insertText", { text });
  }

  async press(key: string): Promise<void> {
    const named = { key, code: key, ...(key === "Enter" && { text: "\r", windowsVirtualKeyCode: 13 }) };
    await this.#call("Input.dispatchKeyEvent", { type: "keyDown", ...named });
    await this.#call("Input.dispatchKeyEvent", { type: "keyUp", ...named });
  }

  scheme(value: "light" | "dark"): Promise<unknown> {
    return this.#call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] });
  }

  size(width: number, height: number): Promise<unknown> {
    return this.#call("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    });
  }

  /** A PNG. */
  async picture(): Promise<Buffer> {
    const { data } = (await this.#call("Page.captureScreenshot")) as { data: string };
    return Buffer.from(data, "base64");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.pid !== undefined && this.#child.exitCode === null)
      process.kill(-this.#child.pid, "SIGKILL");
    await this.#ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 20 });
  }

  #call(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#ids;
    const sessionId = this.#session;
    this.#write.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`);
    return new Promise((resolve, reject) => {
      void this.#ended.then(() => reject(new Error(`the browser ended before it answered ${method}`)));
      this.#pending.set(id, ({ result, error }) => {
        this.#pending.delete(id);
        if (error === undefined) resolve(result);
        else reject(new Error(`${method}: ${error.message}`));
      });
    });
  }
}
