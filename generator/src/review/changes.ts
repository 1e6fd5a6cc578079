/** Something that must be done before or after a change goes live, in the order in which it is done. */
export type Need =
  /** The change cannot work as it is: the pull request must change. */
  | { readonly step: "fix"; readonly text: string }
  /** By hand, before `npm run init`. */
  | { readonly step: "before"; readonly text: string; readonly sql?: readonly string[] }
  /** `npm run init`. */
  | { readonly step: "init" }
  /** By hand, after `npm run init` and before the next run. */
  | { readonly step: "fill"; readonly text: string; readonly sql?: readonly string[] }
  /** A run with `--vars=rebuild=true`. */
  | { readonly step: "rebuild"; readonly reason: string }
  /** A run with `--vars=replayFrom=…`. */
  | { readonly step: "replay"; readonly reason: string }
  /** By hand, when all is live. */
  | { readonly step: "after"; readonly text: string };

/** One change of an entity: of a field, by its path, or of an option of entities.json. */
export interface Change {
  readonly path: string;
  readonly kind: "added" | "removed" | "changed";
  /** From what to what, such as `INT64 -> NUMERIC`. */
  readonly what: string;
  /** What it means for the data that is there and the data to come; names stand between backticks. */
  readonly means: string;
  readonly needs: readonly Need[];
}

/** What changes in one entity. */
export interface EntityChanges {
  readonly entity: string;
  readonly kind: "added" | "removed" | "changed";
  readonly changes: readonly Change[];
}

/** A name as text shows it: between backticks, with none inside that could end them. */
export function code(name: string): string {
  return `\`${name.replaceAll("`", "'")}\``;
}

/** Text without the backticks of such names, for where it is not read as Markdown. */
export function withoutBackticks(text: string): string {
  return text.replaceAll("`", "");
}

/** How much a change asks for: the heaviest of its needs. */
export function weightOf({ needs }: Pick<Change, "needs">): "none" | "act" | "refused" {
  if (needs.some(({ step }) => step === "fix")) return "refused";
  return needs.length > 0 ? "act" : "none";
}

/** Run `npm run init`, which makes and extends tables. */
export const INIT: Need = { step: "init" };
