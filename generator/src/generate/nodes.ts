import type { Order } from "../../scaffold/includes/merge.js";
import type { SchemaField } from "../project/schema.ts";
import type { PolicyName } from "./policies.ts";

/** What every node of the user's schema has. */
export interface NodeBase {
  readonly name: string;
  /** The name as SQLX writes it. */
  readonly sql: string;
  /** The name as the SQL in a SQLX config's string writes it. */
  readonly quoted: string;
  readonly field: SchemaField;
  readonly description: string | undefined;
}

/** A field that moves as one value. */
export interface LeafNode extends NodeBase {
  readonly kind: "leaf";
  /** The path as people write it, for `clearedFields` and messages. */
  readonly dotted: string;
  /** The column of the inner queries that holds its value and version. */
  readonly alias: string;
  readonly policy: PolicyName;
  readonly order: Order;
  /** The order of a REPEATED leaf's elements; undefined for every other leaf. */
  readonly elementOrder?: Order;
  /** An atomic RECORD's primitives and arrays: it says nothing where all of them say nothing. */
  readonly parts: readonly string[];
}

/** A RECORD whose leaves merge one by one. */
interface RecordNode extends NodeBase {
  readonly kind: "record";
  readonly children: readonly TreeNode[];
  /** All leaves below it, at any depth. */
  readonly leaves: readonly LeafNode[];
}

/** A node of the user's schema below the keys and timestamps. */
export type TreeNode = LeafNode | RecordNode;

/** A column that identifies the user or says when. */
export interface PlainColumn extends NodeBase {
  readonly kind: "key" | "ingest" | "event" | "cleared" | "deleted";
  readonly isFloat: boolean;
}

/** A top-level column of final, in the schema's order. */
export type Column = TreeNode | PlainColumn;
