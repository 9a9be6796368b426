import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { describe, expect, test } from "vitest";
import type { ProcessView } from "../../src/page/index.js";
import { RotatingLog } from "../../src/cli/process/rotating-log.js";
import { lightcone, start, type Started } from "../support/lightcone.js";
import { BrowserPage, chromiumPath } from "../support/chromium.js";
import { Group, pageOf } from "../support/process-group.js";

/** Ctrl-C to each, and what they had to say. */
async function endAll(all: readonly Started[]): Promise<void> {
  for (const one of all) one.signal("SIGINT");
  for (const { status, stderr } of await Promise.all(all.map((one) => one.ended)))
    expect([status, stderr]).toEqual([0, ""]);
}

describe("three processes, started by hand", () => {
  test.each(["udp", "tcp", "uds", "fifo"])(
    "over %s hear everything in causal order, and their traces say so",
    async (scheme) => {
      const group = new Group(scheme);
      const traces = [0, 1, 2].map((id) => group.file(`${id}.trace`));
      const begin = (id: number) => group.start(id, "--out", traces[id] ?? "", "--seed", "7");
      // In an order that suits nobody; the last comes when the first has spoken.
      const two = begin(2);
      two.type("the first word");
      await two.shown(/message 1 to all: the first word/);
      const zero = begin(0);
      const one = begin(1);
      const all = [zero, one, two];
      for (let i = 1; i <= 5; i++) {
        zero.type(`zero ${i}`);
        one.type(`one ${i}`);
        two.type(i === 3 ? "@0 for zero alone" : `two ${i}`);
      }
      await zero.shown(/message 4 of P2 to P0: for zero alone/);
      await one.shown(/message 4 of P2 is for P0/);
      for (const each of all) {
        const self = all.indexOf(each);
        for (const [id, last] of [5, 5, 6].entries())
          if (id !== self) await each.shown(new RegExp(`message ${last} of P${id}: `));
      }
      for (const id of [0, 1, 2]) await settled(all[id], id === 2 ? 6 : 5);
      await endAll(all);
      const checked = await lightcone(["check", ...traces, "--json"]);
      expect(JSON.parse(checked.stdout)).toMatchObject({ verdict: "pass", reasons: [], violations: [] });
      const shown = await lightcone(["show", ...traces, "--rows", "12"]);
      expect(shown.status).toBe(0);
      // Counted from the first event, although each began when it was started.
      expect(shown.stdout).toMatch(/^ +0\.0 ms|^ +0\.00 s/m);
    },
  );

  test("a process that is not there is tried as often as asked, reported, and gets what waited when it comes", async () => {
    const group = new Group("udp", 2);
    const zero = group.start(0, "--max-retries", "2", "--max-delay", "0ms");
    zero.type("are you there?");
    await zero.shown(/gives up on P1: no answer to 2 retries; 1 message waits for its return/);
    const one = group.start(1);
    await one.shown(/message 1 of P0: are you there\?/);
    await zero.shown(/P1 answers again/);
    await endAll([zero, one]);
  });

  test("one that was killed is away; who takes its name has forgotten everything, and is not let in", async () => {
    const group = new Group("tcp");
    const [zero, one, two] = [group.start(0), group.start(1), group.start(2)];
    await Promise.all([
      zero.shown(/P1 is here[\s\S]*P2 is here|P2 is here[\s\S]*P1 is here/),
      one.shown(/P2 is here/),
    ]);
    one.signal("SIGKILL");
    await zero.shown(/P1 is away/);
    const impostor = await group.start(1).ended;
    expect(impostor.status).toBe(4);
    expect(impostor.stderr).toMatch(
      /^lightcone: P0 has known another process with this id.*start the whole group anew\n$/,
    );
    zero.type("@2 still here?");
    await two.shown(/still here\?/);
    await endAll([zero, two]);
  });

  test("the same when it is one that others dial: they notice by themselves", async () => {
    const group = new Group("tcp", 2);
    const [zero, one] = [group.start(0), group.start(1)];
    await one.shown(/P0 is here/);
    zero.signal("SIGKILL");
    await one.shown(/P0 is away/);
    group.start(0);
    await one.shown(/P0 is another process than before: it has lost what it knew/);
    await endAll([one]);
  });

  test("what no peer of ours sends is told in a line, and changes nothing", async () => {
    const group = new Group("udp", 2);
    const [zero, one] = [group.start(0), group.start(1)];
    await zero.shown(/P1 is here/);
    const socket = createSocket("udp4");
    for (let i = 0; i < 100; i++)
      socket.send(Buffer.from(`garbage ${i}:1:127.0.0.1:0, 1`), 5050, group.host(0));
    await zero.shown(/ignored datagrams: \d+ of another format/);
    socket.close();
    one.type("all is well");
    await zero.shown(/message 1 of P1: all is well/);
    await endAll([zero, one]);
  });

  test("a message that is no message is not sent, and says why", async () => {
    const group = new Group("uds", 2);
    const zero = group.start(0);
    zero.type("@7 nobody");
    await zero.shown(/not sent: nobody here is called "7"/);
    zero.type("@0 myself");
    await zero.shown(/not sent: P0 is this process itself/);
    zero.type("x".repeat(40_000));
    await zero.shown(/not sent: a message has at most 32768 bytes of UTF-8/);
    zero.type("\u001b[31mred");
    await zero.shown(/message 1 to all: \\x1b\[31mred/);
    await endAll([zero]);
  });
});

/** Until all of its copies have left, and all that it sent is acknowledged: nothing is under way any more. */
async function settled(one: Started | undefined, messages: number): Promise<void> {
  for (let number = 1; number <= messages; number++)
    await one?.shown(new RegExp(`message ${number} leaves for [\\s\\S]*message ${number} leaves for `));
}

describe("its page", () => {
  async function pair() {
    const group = new Group("uds", 2);
    const zero = group.start(0, "--page", "0", "--max-delay", "0ms");
    const one = group.start(1, "--page", "0", "--max-delay", "0ms");
    const url = await pageOf(zero);
    await Promise.all([zero.shown(/P1 is here/), one.shown(/P0 is here/)]);
    return { zero, one, url, other: await pageOf(one) };
  }

  const post = (url: string, body: string, type = "application/x-www-form-urlencoded", more = {}) =>
    fetch(`${url}send_message`, { method: "POST", body, headers: { "content-type": type, ...more } });

  test("the three classic calls: send a form, receive the oldest, ask for the id", async () => {
    const { zero, one, url, other } = await pair();
    expect(await (await fetch(`${url}get_id`)).json()).toEqual({ pid: "0" });
    expect((await fetch(`${other}receive_message`)).status).toBe(204);
    const sent = await post(url, "message=ol%C3%A1+a%3Ab&address=");
    expect([sent.status, await sent.json()]).toEqual([200, { status: "Message sent" }]);
    expect((await post(url, '{"message":"two","address":"P1"}', "application/json")).status).toBe(200);
    await one.shown(/message 2 of P0 to P1: two/);
    const received = async (): Promise<unknown> => (await fetch(`${other}receive_message`)).json();
    expect(await received()).toMatchObject({ message: "olá a:b" });
    expect(await received()).toMatchObject({ message: "two" });
    expect((await fetch(`${other}receive_message`)).status).toBe(204);
    await endAll([zero, one]);
  });

  test("the view shows clock, peers and messages, live", async () => {
    const { zero, one, url } = await pair();
    const events = await fetch(`${url}events`);
    expect(events.headers.get("content-type")).toMatch(/^text\/event-stream/);
    const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const until = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) text += (await reader?.read())?.value ?? "";
    };
    await until(/"vector":\[\{"process":"P0","count":0\},\{"process":"P1","count":0\}\]/);
    one.type("<b>hi</b>");
    await until(/"received":\{"total":1,"newest":\[\{"from":"P1","number":1,.*"text":"<b>hi<\/b>"/);
    await reader?.cancel();
    const view = (await (await fetch(`${url}view`)).json()) as ProcessView;
    expect(view).toMatchObject({
      pid: "0",
      name: "P0",
      vector: [
        { process: "P0", count: 0 },
        { process: "P1", count: 1 },
      ],
      peers: [{ process: "P1", state: "here" }],
      waiting: { total: 0, newest: [] },
    });
    await endAll([zero, one]);
  });

  test("its files forbid scripts and styles of others, and frames", async () => {
    const { zero, one, url } = await pair();
    for (const [path, type] of [
      ["", "text/html"],
      ["page.css", "text/css"],
      ["client.js", "text/javascript"],
      ["icon.svg", "image/svg+xml"],
    ]) {
      const file = await fetch(`${url}${path}`);
      expect([path, file.status, file.headers.get("content-type")]).toEqual([
        path,
        200,
        `${type}; charset=utf-8`,
      ]);
      const policy = file.headers.get("content-security-policy") ?? "";
      expect(policy).toMatch(/default-src 'none'; script-src 'self'; style-src 'self'/);
      expect(policy).toMatch(/frame-ancestors 'none'/);
      expect(policy).not.toMatch(/unsafe/);
      // The page is itself without what its policy forbids, and asks nothing of any network.
      expect(await file.text()).not.toMatch(
        / style=|<style|onclick|javascript:|eval\(|innerHTML|https?:\/\/(?!www\.w3\.org)/,
      );
    }
    await endAll([zero, one]);
  });

  /** `fetch` sets Host itself. */
  function ask(url: string, options: { method?: string; path?: string; headers: Record<string, string> }) {
    return new Promise<number | undefined>((resolve, reject) => {
      const { method = "GET", path = "/view", headers } = options;
      const asking = request(new URL(path, url), { method, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asking.on("error", reject).end(method === "POST" ? "message=forged" : undefined);
    });
  }

  test("other sites are kept out, whether by their name or by the browser's word", async () => {
    const { zero, one, url } = await pair();
    const host = new URL(url).host;
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const refused: Parameters<typeof ask>[1][] = [
      { headers: { host: "evil.example" } },
      { headers: { host: `evil.example:${new URL(url).port}` } },
      { headers: { host: "127.0.0.1" } },
      { headers: { host, origin: "http://evil.example" } },
      { headers: { host, origin: "null" } },
      { headers: { host, "sec-fetch-site": "cross-site" } },
      { headers: { host, "sec-fetch-site": "same-site" } },
      {
        path: "/receive_message",
        headers: { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
      },
      { method: "POST", path: "/send_message", headers: { ...form, host, origin: "https://evil.example" } },
      {
        method: "POST",
        path: "/send_message",
        headers: { ...form, host: "rebound.example", origin: `http://${host}` },
      },
    ];
    for (const options of refused) expect([options, await ask(url, options)]).toEqual([options, 403]);
    expect(
      await ask(url, { headers: { host, "sec-fetch-site": "same-origin", origin: `http://${host}` } }),
    ).toBe(200);
    expect(
      await ask(url, {
        path: "/",
        headers: { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
      }),
    ).toBe(200);
    const own = { ...form, host, origin: `http://${host}` };
    expect(await ask(url, { method: "POST", path: "/send_message", headers: own })).toBe(200);
    // Of all of these one message was sent: the last.
    await one.shown(/message 1 of P0: forged/);
    expect(await (await fetch(`${url}view`)).json()).toMatchObject({ sent: { total: 1 } });
    await endAll([zero, one]);
  });

  test("requests that are none get their reason", async () => {
    const { zero, one, url } = await pair();
    const answers: [Promise<Response>, number, RegExp][] = [
      [post(url, "message="), 400, /an empty message says nothing/],
      [post(url, "address=all"), 400, /the form has no field message/],
      [post(url, "message=x&address=P9"), 400, /nobody here is called \\"P9\\"/],
      [post(url, "{", "application/json"), 400, /the request is not JSON/],
      [post(url, '{"message":7}', "application/json"), 400, /send .*both text/],
      [post(url, '{"__proto__":{"message":"x"}}', "application/json"), 400, /both text/],
      [post(url, '{"message":"\\ud800"}', "application/json"), 400, /not well-formed/],
      [post(url, "x", "text/plain"), 415, /send a form/],
      [post(url, `message=${"x".repeat(40_000)}`), 400, /at most 32768 bytes/],
      [post(url, `message=${"x".repeat(200_000)}`), 413, /at most 131072 bytes/],
      [fetch(`${url}nothing`), 404, /there is nothing here/],
      [fetch(`${url}..%2f..%2fetc%2fpasswd`), 404, /there is nothing here/],
      [fetch(`${url}send_message`), 405, /takes POST/],
    ];
    for (const [answer, status, text] of answers) {
      const response = await answer;
      expect([response.status, await response.text()]).toEqual([status, expect.stringMatching(text)]);
    }
    await endAll([zero, one]);
  });
});

describe.skipIf(chromiumPath === undefined)("its page in a browser (Chromium)", () => {
  test("shows who waits for what, what comes and what is sent, and treats what peers write as text", async () => {
    const group = new Group("udp", 3);
    const zero = group.start(0, "--classic", "--page", "0", "--max-delay", "0ms");
    const url = await pageOf(zero);
    const other = createSocket("udp4");
    other.bind(5050, group.host(1));
    await once(other, "listening");
    const send = (text: string): void => other.send(text, 5050, group.host(0));

    await using page = await BrowserPage.open(chromiumPath ?? "");
    await page.goto(url);
    await page.until("document.title === 'P0 · Lightcone'");
    // The policy would refuse it; that it was never markup is what counts.
    send("<img src=x onerror=document.title='owned'>:2:127.0.0.3:0, 1, 1");
    await page.until(
      "document.querySelector('#waiting li')?.innerText.includes('waits for message 1 of P1')",
    );
    send("<b>first</b>:1:127.0.0.2:0, 1, 0");
    await page.until("document.querySelectorAll('#received li').length === 2");
    expect(
      await page.evaluate("[...document.querySelectorAll('#received .text')].map((text) => text.innerHTML)"),
    ).toEqual(["&lt;img src=x onerror=document.title='owned'&gt;", "&lt;b&gt;first&lt;/b&gt;"]);
    expect(await page.evaluate("document.querySelectorAll('#waiting li').length")).toBe(0);
    expect(await page.evaluate("document.getElementById('vector').innerText.split(/\\s+/).join(' ')")).toBe(
      "P0 0 P1 1 P2 1",
    );

    // By keyboard alone: the text has the focus, Enter sends, the focus stays.
    expect(await page.evaluate("document.activeElement.id")).toBe("message");
    const sent = once(other, "message");
    await page.type("hello, you two");
    await page.press("Enter");
    const [datagram] = (await sent) as [Buffer];
    expect(datagram.toString()).toBe(`hello, you two:0:${group.host(0)}:1, 1, 1`);
    await page.until("document.querySelector('#sent li')?.innerText.includes('hello, you two')");
    await page.until("document.getElementById('message').value === ''");
    expect(await page.evaluate("document.activeElement.id")).toBe("message");
    await page.press("Enter");
    await page.until(
      "document.getElementById('problem').textContent.includes('an empty message') || !document.getElementById('message').validity.valid",
    );
    expect(await page.evaluate("document.title")).toBe("P0 · Lightcone");

    zero.signal("SIGKILL");
    await page.until("document.getElementById('status').textContent.includes('does not answer')");
    other.close();
  });

  test.each(["light", "dark"] as const)("its colours are legible in the %s theme", async (scheme) => {
    const group = new Group("udp", 3);
    const zero = group.start(0, "--classic", "--page", "0", "--max-delay", "0ms");
    const url = await pageOf(zero);
    zero.type("one line");
    await using page = await BrowserPage.open(chromiumPath ?? "");
    await page.scheme(scheme);
    await page.goto(url);
    await page.until("document.querySelectorAll('#sent li').length === 1");
    expect(await page.evaluate(FAINT_TEXTS)).toEqual([]);
  });
});

/** Texts whose contrast to what is behind them is below 4.5 to 1 (WCAG 2.2, 1.4.3), with that ratio. */
const FAINT_TEXTS = `(async () => {
  await Promise.all(document.getAnimations().map((animation) => animation.finished));
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b]
    .map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "");
    if (!own || element.checkVisibility() === false || element.closest("noscript, option")) continue;
    const [front, back] = [luminance(channels(getComputedStyle(element).color)), luminance(behind(element))];
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (ratio < 4.5) found.push(element.textContent + " " + ratio.toFixed(2));
  }
  return found;
})()`;

describe("a command line that cannot be meant: one line, status 2, nothing started", () => {
  const three = [
    "--listen",
    "udp://127.0.0.1:5050",
    "--peer",
    "1=udp://127.0.0.1:5051",
    "--peer",
    "2=udp://127.0.0.1:5052",
  ];
  test.each<[string, string[], RegExp]>([
    [
      "an id beyond the group",
      ["--id", "3", ...three],
      /--id takes a whole number from 0 to 2 \(3 processes\); "3" given/,
    ],
    ["an id that is none", ["--id", "zero", ...three], /--id takes a whole number/],
    ["a peer twice", ["--id", "0", ...three, "--peer", "1=udp://127.0.0.1:9"], /two peers with id 1/],
    [
      "two peers at one address",
      [
        "--id",
        "0",
        "--listen",
        "tcp://127.0.0.1:1",
        "--peer",
        "1=tcp://127.0.0.1:2",
        "--peer",
        "2=tcp://127.0.0.1:2",
      ],
      /peers 1 and 2 are both at/,
    ],
    ["itself as a peer", ["--id", "1", ...three], /1 is this process itself/],
    ["a peer too few", ["--id", "0", ...three.slice(0, 4)], /no peer 2; add --peer 2=URL/],
    ["no peer at all", ["--id", "0", "--listen", "udp://127.0.0.1:5050"], /no peer 1/],
    ["a peer without its id", ["--id", "0", ...three, "--peer", "udp://127.0.0.1:1"], /--peer takes ID=URL/],
    [
      "an unknown transport",
      ["--id", "0", "--listen", "upd://127.0.0.1:5050"],
      /unknown transport "upd"; did you mean "udp"\?/,
    ],
    ["no URL", ["--id", "0", "--listen", "127.0.0.1:5050"], /--listen takes a URL such as/],
    [
      "a port that is none",
      ["--id", "0", "--listen", "udp://127.0.0.1:99999", ...three.slice(2)],
      /HOST:PORT expected/,
    ],
    [
      "a peer's port that is none",
      ["--id", "0", ...three.slice(0, 4), "--peer", "2=udp://127.0.0.1:0"],
      /has port 0/,
    ],
    [
      "two transports",
      ["--id", "0", ...three.slice(0, 4), "--peer", "2=tcp://127.0.0.1:1"],
      /not at udp:\/\//,
    ],
    ["no duration", ["--id", "0", ...three, "--max-delay", "10"], /"10" is not a duration/],
    [
      "no port for the page",
      ["--id", "0", ...three, "--page", "70000"],
      /--page takes a whole number from 0 to 65535/,
    ],
    [
      "classic over tcp",
      ["--id", "0", "--classic", "--listen", "tcp://127.0.0.1:1"],
      /--classic speaks udp only/,
    ],
    [
      "a classic trace",
      ["--id", "0", ...three, "--classic", "--out", "x.trace"],
      /--out cannot be had with --classic/,
    ],
    [
      "an unknown option",
      ["--id", "0", ...three, "--max-retrys", "3"],
      /unknown option "--max-retrys"; did you mean "--max-retries"\?/,
    ],
    [
      "too many processes",
      ["--id", "0", "--processes", "65", ...three],
      /--processes takes a whole number from 2 to 64/,
    ],
  ])("%s", async (_what, args, answer) => {
    const { status, stdout, stderr } = await lightcone(["process", ...args]);
    expect(stderr).toMatch(answer);
    expect(stderr).toMatch(/^lightcone: .*\n$/);
    expect([status, stdout]).toEqual([2, ""]);
  });

  test.each([
    ["tcp", []],
    ["udp", []],
    ["udp", ["--classic"]],
  ] as const)("an address in use over %s %o; its trace stays as it is", async (scheme, more) => {
    const group = new Group(scheme, 2);
    const first = group.start(0, "--page", "0", ...more);
    const port = new URL(await pageOf(first)).port;
    writeFileSync(group.file("kept.trace"), "kept");
    const trace = more.length === 0 ? ["--out", group.file("kept.trace")] : [];
    const second = await lightcone(group.args(0, ...more, ...trace));
    expect([second.status, second.stdout]).toEqual([2, ""]);
    expect(second.stderr).toMatch(
      /^lightcone: --listen: \S+ is in use by another process; choose another\n$/,
    );
    expect(readFileSync(group.file("kept.trace"), "utf8")).toBe("kept");
    const page = await lightcone(group.args(1, ...more, "--page", port));
    expect([page.status, page.stdout]).toEqual([2, ""]);
    expect(page.stderr).toMatch(
      /^lightcone: --page: port \d+ is in use by another process; choose another, .*\n$/,
    );
    await endAll([first]);
  });
});

describe("a trace that cannot be written: one line, status 4", () => {
  test("on a disk that is full at the start", async () => {
    const group = new Group("uds", 2);
    expect(await lightcone(group.args(0, "--out", "/dev/full"))).toMatchObject({
      status: 4,
      stdout: "",
      stderr: expect.stringMatching(
        /^lightcone: cannot write the trace to \/dev\/full: ENOSPC.*; it is incomplete\n$/,
      ),
    });
  });

  test("on one that becomes full: the others learn that it is away, and what it did stays readable", async () => {
    const group = new Group("uds", 2);
    const one = group.start(1);
    const trace = group.file("0.trace");
    // The system refuses to write more than that, as it would on a full disk.
    const zero = start(group.args(0, "--out", trace), { typed: true, limited: "ulimit -f 8" });
    await one.shown(/P0 is here/);
    for (let i = 0; i < 8; i++) zero.type("x".repeat(1_000));
    const { status, stdout, stderr } = await zero.ended;
    expect(stderr).toMatch(/^lightcone: cannot write the trace to .*0\.trace: .*; it is incomplete\n$/);
    expect(stdout).toMatch(/cannot go on: cannot write the trace/);
    expect(status).toBe(4);
    await one.shown(/P0 is away/);
    await endAll([one]);
    expect(readFileSync(trace, "utf8")).toMatch(/^\{"format":"lightcone-trace"/);
    const shown = await lightcone(["show", trace]);
    expect([shown.status, shown.stderr]).toEqual([0, ""]);
  });
});

test("the settings are printed and logged, and the log rotates within its bounds", async () => {
  const group = new Group("uds", 2);
  const zero = group.start(0, "--log", group.file("p0.log"), "--max-delay", "10s");
  await zero.shown(/^listens at +uds:[\s\S]*longest delay +10s\nretries +100\nseed +0/m);
  zero.type("hello");
  await zero.shown(/message 1 to all: hello/);
  await endAll([zero]);
  const log = readFileSync(group.file("p0.log"), "utf8");
  expect(log).toMatch(/^\d{4}-\S+Z P0 listens at +uds:/);
  expect(log).toMatch(/Z P0 \[1, 0\] {2}message 1 to all: hello\n/);

  const problems: string[] = [];
  const small = new RotatingLog(group.file("small.log"), (problem) => problems.push(problem), {
    bytesMax: 100,
    keptMax: 2,
  });
  for (let i = 0; i < 50; i++) small.write(`line ${i} of some length`);
  const kept = ["small.log", "small.log.1", "small.log.2"].map((name) =>
    readFileSync(group.file(name), "utf8"),
  );
  for (const text of kept) expect(text.length).toBeLessThanOrEqual(100);
  expect(kept.toReversed().join("").trimEnd().split("\n").at(-1)).toBe("line 49 of some length");
  expect(() => readFileSync(group.file("small.log.3"))).toThrow(/ENOENT/);
  expect(problems).toEqual([]);
});
