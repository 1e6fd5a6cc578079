/** The greatest unscaled values: https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#decimal_types */
const LIMITS = {
  NUMERIC: { scale: 9, max: 10n ** 38n - 1n },
  BIGNUMERIC: { scale: 38, max: 2n ** 255n - 1n },
} as const;

/**
 * The unscaled value of a decimal number's text (value * 10^9, or 10^38), rounded half away from zero as BigQuery rounds what it
 * reads; undefined where it is no number or out of range.
 */
export function parseDecimal(kind: "NUMERIC" | "BIGNUMERIC", text: string): bigint | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text);
  if (match === null || `${match[2]}${match[3] ?? ""}` === "") return undefined;
  const { scale, max } = LIMITS[kind];
  const digits = `${match[2]}${match[3] ?? ""}`;
  const shift = scale - (match[3] ?? "").length + Number(match[4] ?? "0");
  const value = shiftDigits(digits, shift);
  const signed = match[1] === "-" ? -value : value;
  return signed > max || signed < -max - (kind === "BIGNUMERIC" ? 1n : 0n) ? undefined : signed;
}

/**
 * The value as a NUMERIC(precision, scale) column keeps it: rounded to the scale; undefined where it has more digits before the
 * point than the column takes. `unscaled` has `typeScale` digits after the point.
 */
export function limitDecimal(
  unscaled: bigint,
  typeScale: number,
  precision: number,
  scale: number,
  roundingMode = "ROUND_HALF_AWAY_FROM_ZERO",
): bigint | undefined {
  const unit = 10n ** BigInt(typeScale - scale);
  const magnitude = unscaled < 0n ? -unscaled : unscaled;
  const away = (magnitude + unit / 2n) / unit;
  const isTie = (magnitude % unit) * 2n === unit;
  const isOdd = isTie && roundingMode === "ROUND_HALF_EVEN" && away % 2n === 1n;
  const kept = (isOdd ? away - 1n : away) * unit;
  if (kept >= 10n ** BigInt(precision - scale + typeScale)) return undefined;
  return unscaled < 0n ? -kept : kept;
}

function shiftDigits(digits: string, shift: number): bigint {
  const trimmed = digits.replace(/^0+/, "");
  if (trimmed === "") return 0n;
  // Beyond this it is out of range whatever follows; never build a number of a thousand digits.
  if (shift > 120) return 10n ** 120n;
  if (shift >= 0)
    return BigInt(trimmed.slice(0, 200)) * 10n ** BigInt(shift + Math.max(0, trimmed.length - 200));
  const kept = trimmed.slice(0, Math.max(0, trimmed.length + shift));
  const next = trimmed.length + shift >= 0 ? trimmed[trimmed.length + shift] : "0";
  return BigInt(kept === "" ? "0" : kept) + (next !== undefined && next >= "5" ? 1n : 0n);
}
