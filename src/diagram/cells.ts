/**
 * Columns a text takes on a terminal: 2 for East Asian wide characters and emoji, 0 for combining marks, 1 otherwise.
 *
 * By the ranges of Unicode Standard Annex #11 that terminals agree on; for text without control characters.
 */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** Cuts text to `columns`, its last character "…" (or `more`) when something is missing. */
export function fitText(text: string, columns: number, more = "…"): string {
  if (textWidth(text) <= columns) return text;
  const room = columns - textWidth(more);
  if (room < 0) return "";
  let kept = "";
  let width = 0;
  for (const character of text) {
    const next = width + characterWidth(character);
    if (next > room) break;
    kept += character;
    width = next;
  }
  return kept + more;
}

/** Breaks text at spaces into lines of at most `columns`; a longer word is broken where it must. */
export function wrapText(text: string, columns: number): string[] {
  const room = Math.max(1, columns);
  const lines: string[] = [];
  let line = "";
  let width = 0;
  for (const word of text.split(" ")) {
    const wordWidth = textWidth(word);
    if (line !== "" && width + 1 + wordWidth <= room) {
      line += ` ${word}`;
      width += 1 + wordWidth;
      continue;
    }
    if (line !== "") lines.push(line);
    line = "";
    width = 0;
    for (const character of word) {
      const next = characterWidth(character);
      if (width + next > room && line !== "") {
        lines.push(line);
        line = "";
        width = 0;
      }
      line += character;
      width += next;
    }
  }
  if (line !== "" || lines.length === 0) lines.push(line);
  return lines;
}

function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (/^\p{M}$/u.test(character)) return 0;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}

const WIDE: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x23e9, 0x23ec],
  [0x2614, 0x2615],
  [0x26a1, 0x26a1],
  [0x2705, 0x2705],
  [0x274c, 0x274c],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x1fa70, 0x1faff],
  [0x20000, 0x3fffd],
];
