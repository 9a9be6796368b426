/** What the signal of an {@link Interruption} is aborted with. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}

/** Turns the first Ctrl-C (or SIGTERM, or a closed terminal) into an aborted signal, while it is in use. */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  readonly #onSignal = (): void => this.#controller.abort(new InterruptedError("interrupted"));

  constructor() {
    for (const signal of this.#signals) process.on(signal, this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const signal of this.#signals) process.off(signal, this.#onSignal);
  }
}
