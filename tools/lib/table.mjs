/**
 * Columns under their headings, as wide as they need; the last is cut off where a terminal ends.
 *
 * @param {readonly string[]} headings @param {readonly (readonly string[])[]} rows
 */
export function table(headings, rows) {
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const columns = process.stdout.isTTY ? process.stdout.columns : Infinity;
  return [headings, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => (line.length > columns ? `${line.slice(0, columns - 1)}…` : line))
    .join("\n");
}
