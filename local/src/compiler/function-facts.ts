/** Functions that give another value at each call. */
const VOLATILE: ReadonlySet<string> = new Set([
  "rand",
  "generate_uuid",
  "keys.new_keyset",
  "keys.rotate_keyset",
  "keys.add_key_from_raw_bytes",
  "aead.encrypt",
]);

/** Functions and operators that cannot fail by themselves; any other may. */
const TOTAL: ReadonlySet<string> = new Set([
  "$and",
  "$or",
  "$not",
  "$is_null",
  "$is_true",
  "$is_false",
  "$equal",
  "$not_equal",
  "$less",
  "$less_or_equal",
  "$greater",
  "$greater_or_equal",
  "$between",
  "$in",
  "$is_distinct_from",
  "$is_not_distinct_from",
  "$case_no_value",
  "$case_with_value",
  "if",
  "ifnull",
  "nullif",
  "coalesce",
  "greatest",
  "least",
  "$concat_op",
  "concat",
  "upper",
  "lower",
  "char_length",
  "byte_length",
  "length",
  "starts_with",
  "ends_with",
  "array_length",
  "current_timestamp",
  "current_date",
  "session_user",
]);

/** Whether a function, by its name in lower case, gives another value at each call. */
export function isVolatileFunction(name: string): boolean {
  return VOLATILE.has(name);
}

/** Whether a function, by its name in lower case, may fail where its arguments do not. */
export function mayFunctionFail(name: string): boolean {
  return !TOTAL.has(name);
}
