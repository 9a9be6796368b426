import type { Trace, TraceEvent } from "./event.js";
import { idOf } from "./event.js";

/**
 * Happens-before by its definition: the transitive closure of program order and message edges, found by walking
 * backwards from every event. By index in the trace: the set of indices that happened before.
 */
export function closureOf(trace: Trace): readonly ReadonlySet<number>[] {
  const positions = new Map(trace.events.map((event, position) => [idOf(event), position]));
  const causes = trace.events.map((event) => causesOf(event).flatMap((id) => positions.get(id) ?? []));
  return trace.events.map((_, position) => {
    const before = new Set<number>();
    const open = [...(causes[position] ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (before.has(next)) continue;
      before.add(next);
      open.push(...(causes[next] ?? []));
    }
    return before;
  });
}

function causesOf(event: TraceEvent): readonly string[] {
  if (event.process === "net") return [];
  const earlier = event.number > 1 ? [`${event.process}:${event.number - 1}`] : [];
  return event.kind === "receive" ? [...earlier, `${event.from}:${event.send}`] : earlier;
}
