/**
 * Makes text from a peer, a file or a trace safe to show: what would move a cursor, reorder a line or be invisible
 * becomes a visible `\x1b`, `\u202e` or `\u{e0041}`.
 *
 * Escapes C0, DEL and C1 controls (so tab and newline too), bidirectional controls, line separators, zero-width and
 * other invisible formatting, lone surrogates and noncharacters. Everything else, other scripts included, stays.
 * A backslash stays as it is: the result is for eyes, not for parsing back.
 */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (found) => {
    const code = found.codePointAt(0) ?? 0;
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
    if (code < 0x10000) return `\\u${code.toString(16).padStart(4, "0")}`;
    return `\\u{${code.toString(16)}}`;
  });
}

// Cc: C0, DEL, C1. Cf: bidi and zero-width controls, soft hyphen, tags. Zl, Zp: line and paragraph separators.
// Cs: with the u flag only lone surrogates match. The last three render as nothing, or are no characters at all.
const UNSAFE =
  /\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|\p{Cs}|[\u115f\u1160\u17b4\u17b5\u3164\uffa0]|\p{Variation_Selector}|\p{Noncharacter_Code_Point}/gu;
