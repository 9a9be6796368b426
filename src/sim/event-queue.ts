import { invariant, type Instant } from "../core/index.js";

/**
 * What is due, earliest first; at the same instant in the order it was put in, so that a run never depends on how the
 * heap happens to lie.
 *
 * A binary heap over three parallel arrays: no object is made per entry.
 */
export class EventQueue<Item> {
  readonly #at: number[] = [];
  readonly #order: number[] = [];
  readonly #items: Item[] = [];
  #nextOrder = 0;

  get size(): number {
    return this.#items.length;
  }

  push(at: Instant, item: Item): void {
    const order = this.#nextOrder++;
    const ats = this.#at;
    const orders = this.#order;
    const items = this.#items;
    let hole = items.length;
    ats.push(at);
    orders.push(order);
    items.push(item);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      // A later entry has a higher order, so it never passes an equal instant on its way up.
      if ((ats[parent] as number) <= at) break;
      ats[hole] = ats[parent] as number;
      orders[hole] = orders[parent] as number;
      items[hole] = items[parent] as Item;
      hole = parent;
    }
    ats[hole] = at;
    orders[hole] = order;
    items[hole] = item;
  }

  /** Instant of the earliest entry; `Infinity` when there is none. */
  get nextAt(): Instant {
    return this.#at[0] ?? Infinity;
  }

  pop(): Item {
    const ats = this.#at;
    const orders = this.#order;
    const items = this.#items;
    const first = items[0];
    invariant(items.length > 0, "an empty event queue was asked for its next event");
    const at = ats.pop() as number;
    const order = orders.pop() as number;
    const item = items.pop() as Item;
    const size = items.length;
    if (size > 0) {
      let hole = 0;
      for (;;) {
        let child = 2 * hole + 1;
        if (child >= size) break;
        const right = child + 1;
        if (right < size && isBefore(ats, orders, right, child)) child = right;
        const childAt = ats[child] as number;
        if (at < childAt || (at === childAt && order < (orders[child] as number))) break;
        ats[hole] = childAt;
        orders[hole] = orders[child] as number;
        items[hole] = items[child] as Item;
        hole = child;
      }
      ats[hole] = at;
      orders[hole] = order;
      items[hole] = item;
    }
    return first as Item;
  }
}

function isBefore(ats: readonly number[], orders: readonly number[], a: number, b: number): boolean {
  const atA = ats[a] as number;
  const atB = ats[b] as number;
  return atA < atB || (atA === atB && (orders[a] as number) < (orders[b] as number));
}
