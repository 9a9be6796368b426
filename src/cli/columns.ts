/** Between two columns. */
const GAP = 2;

/** Two lists of lines beside each other, each line broken at words to fit in half of `width` columns. */
export function inColumns(left: readonly string[], right: readonly string[], width: number): string[] {
  const half = Math.max(20, Math.floor((width - GAP) / 2));
  const [a, b] = [left, right].map((lines) => lines.flatMap((line) => brokenAt(line, half)));
  return Array.from({ length: Math.max(a?.length ?? 0, b?.length ?? 0) }, (_, row) =>
    `${(a?.[row] ?? "").padEnd(half + GAP)}${b?.[row] ?? ""}`.trimEnd(),
  );
}

/** Continuation lines are indented; a word that is longer than a line is cut. */
function brokenAt(line: string, width: number): string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width);
    const cut = space > INDENT.length ? space : width;
    lines.push(rest.slice(0, cut).trimEnd());
    rest = INDENT + rest.slice(cut).trimStart();
  }
  return [...lines, rest];
}

const INDENT = " ".repeat(9);
