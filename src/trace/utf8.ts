/**
 * The bytes that UTF-8 gives for the character at `index`, lead byte first; a lone surrogate counts as U+FFFD, as it
 * does when a file is written.
 *
 * The layer is pure, so there is no TextEncoder; callers handle ASCII themselves and come here for the rest.
 */
export function utf8At(text: string, index: number): readonly number[] {
  const point = text.codePointAt(index) ?? 0xfffd;
  const code = point >= 0xd800 && point < 0xe000 ? 0xfffd : point;
  if (code < 0x80) return [code];
  if (code < 0x800) return [0xc0 | (code >> 6), continued(code)];
  if (code < 0x10000) return [0xe0 | (code >> 12), continued(code >> 6), continued(code)];
  return [0xf0 | (code >> 18), continued(code >> 12), continued(code >> 6), continued(code)];
}

function continued(bits: number): number {
  return 0x80 | (bits & 0x3f);
}
