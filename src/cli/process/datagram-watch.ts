import type { Transport, UdpTransport } from "../../transports/index.js";
import type { Story } from "./story.js";

/** So often the counters of dropped datagrams are looked at. Milliseconds. */
const LOOK_MS = 1_000;

/** Tells, in one line a second at most, of datagrams that a transport has dropped because no peer of ours sent them. */
export function watchDatagrams(transport: Transport, story: Story): Disposable {
  if (!isUdp(transport)) return { [Symbol.dispose]: () => {} };
  const { counters } = transport;
  const before = { ...counters };
  const timer = setInterval(() => {
    const news: string[] = [];
    for (const [name, what] of REASONS) {
      const count = counters[name] - before[name];
      before[name] = counters[name];
      if (count > 0) news.push(`${count} ${what}`);
    }
    if (news.length > 0) story.line(`ignored datagrams: ${news.join(", ")}`, "warn");
  }, LOOK_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

// Those that name a connection of before, or another one, come with every reconnection: no news.
const REASONS = [
  ["foreign", "of another format"],
  ["damaged", "damaged"],
  ["otherVersion", "of another version"],
  ["malformed", "malformed"],
  ["wrongSource", "from a wrong address"],
] as const;

function isUdp(transport: Transport): transport is UdpTransport {
  return "counters" in transport;
}
