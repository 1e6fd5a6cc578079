import type { FieldType } from "../project/field-types.ts";
import type { MergePolicy } from "../project/schema.ts";
import type { Decider, Gatherer } from "./merge-sql.ts";

/** What a merge policy has to say of itself; each is one entry of POLICIES, and nothing else names one. */
export interface Policy {
  /** The function of merge.js that makes a leaf of a user's updates. */
  readonly gather: Gatherer;
  /** The function of merge.js that makes one of the batch's leaf and final's. */
  readonly decide: Decider;
  /** Why the policy does not fit a leaf, with what would; undefined where it fits. */
  readonly refuse: (leaf: PolicyLeaf) => { readonly wrong: string; readonly right: string } | undefined;
  /** True where a clear or a delete can be exact together with it (R11). */
  readonly knowsThePast: boolean;
  /** Of what a user's updates said, oldest first, what the worked example ends with. */
  readonly example: <T extends Said>(said: readonly [T, ...T[]]) => Result<T>;
}

/** What decides whether a policy fits. */
interface PolicyLeaf {
  readonly type: FieldType;
  readonly isRepeated: boolean;
  /** False for a type whose values BigQuery does not compare. */
  readonly isOrdered: boolean;
}

/** A value in the worked example: when it was said, and a text by which it compares with others. */
export interface Said {
  readonly time: number;
  readonly rank: string;
}

/** The values that a leaf holds in the end (more than one only in a set), and its version's time. */
export interface Result<T> {
  readonly values: readonly T[];
  readonly time: number;
}

const fits = () => undefined;

const needsOrder =
  (policy: string): Policy["refuse"] =>
  ({ type, isRepeated, isOrdered }) =>
    isOrdered && !isRepeated
      ? undefined
      : {
          wrong: `"${policy}" on ${isRepeated ? "REPEATED " : ""}${type}, which has no order`,
          right: "use latest or first",
        };

const extreme =
  (sign: 1 | -1): Policy["example"] =>
  (said) => {
    const winner = said.reduce((best, one) => (sign * compare(one.rank, best.rank) >= 0 ? one : best));
    return { values: [winner], time: winner.time };
  };

/** The policies by their names in a schema (R11). */
export const POLICIES = {
  latest: {
    gather: "gatherLatest",
    decide: "takeLatest",
    refuse: fits,
    knowsThePast: true,
    example: (said) => ofOne(said.at(-1) ?? said[0]),
  },
  first: {
    gather: "gatherFirst",
    decide: "takeFirst",
    refuse: fits,
    knowsThePast: false,
    example: (said) => ofOne(said[0]),
  },
  max: {
    gather: "gatherGreatest",
    decide: "takeGreatest",
    refuse: needsOrder("max"),
    knowsThePast: false,
    example: extreme(1),
  },
  min: {
    gather: "gatherSmallest",
    decide: "takeSmallest",
    refuse: needsOrder("min"),
    knowsThePast: false,
    example: extreme(-1),
  },
  union: {
    gather: "gatherUnion",
    decide: "takeUnion",
    refuse: ({ isRepeated }) =>
      isRepeated
        ? undefined
        : {
            wrong: '"union" on a field that is not REPEATED',
            right: "make the field REPEATED or use another policy",
          },
    knowsThePast: false,
    example: (said) => {
      const set = new Map(said.toSorted((a, b) => compare(a.rank, b.rank)).map((one) => [one.rank, one]));
      return { values: [...set.values()], time: (said.at(-1) ?? said[0]).time };
    },
  },
} as const satisfies Readonly<Record<Exclude<MergePolicy, "atomic">, Policy>>;

/** The name of a policy of a leaf. */
export type PolicyName = keyof typeof POLICIES;

function ofOne<T extends Said>(winner: T): Result<T> {
  return { values: [winner], time: winner.time };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
