/** A JSON object as requests carry it and answers are built of. */
export type JsonObject = Record<string, unknown>;

/** The object at a member, if there is one. */
export function objectAt(value: JsonObject | undefined, member: string): JsonObject | undefined {
  const inner = value?.[member];
  return isJsonObject(inner) ? inner : undefined;
}

/** Whether a value is a JSON object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
