/** A byte as `\\x0a` in a GoogleSQL literal. */
export function hexEscape(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

/** STRING as a GoogleSQL literal. */
export function stringLiteral(value: string): string {
  const quote = value.includes('"') && !value.includes("'") ? "'" : '"';
  const body = [...value].map((char) => {
    if (char === quote) return `\\${char}`;
    const code = char.codePointAt(0) ?? 0;
    return ESCAPES[char] ?? (code < 0x20 || code === 0x7f ? hexEscape(code) : char);
  });
  return quote + body.join("") + quote;
}
