/** The client wraps timestamps, dates, ranges and decimals in objects of their own; this unwraps them, at any depth. */
export function plain(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(plain);
  if ("value" in value && Object.keys(value).length === 1) return value.value;
  if (isDecimal(value)) return value.toFixed();
  if ("apiValue" in value && typeof value.apiValue === "string") return value.apiValue;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}

function isDecimal(value: object): value is { toFixed(): string } {
  return "toFixed" in value && typeof value.toFixed === "function";
}
