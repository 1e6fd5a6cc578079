/**
 * A node of GoogleSQL's parse or resolved tree, flattened: the fields of all base classes stand on the node itself,
 * and `kind` is the class without its prefix and suffix (`FunctionCall`, `ProjectScan`, `MergeStmt`; `astBeginStatement` for
 * parse trees). Fields that hold a default value are absent, 64-bit integers are decimal strings, enums their names.
 */
export interface TreeNode {
  readonly kind?: string;
  readonly [field: string]: unknown;
}

const WRAPPER = /^(?:resolved|ast)(.+?)(?:Node)?$/;
/** The loader writes names in camel case, which loses the capitals of `DMLDefault` and `TVFScan`. */
const ACRONYM = /^(Dml|Tvf)([a-z])/;

function kindOf(name: string): string {
  if (name.startsWith("ast")) return name.replace(/Node$/, "");
  const kind = WRAPPER.exec(name)?.[1] ?? name;
  return kind.replace(
    ACRONYM,
    (_, acronym: string, next: string) => acronym.toUpperCase() + next.toUpperCase(),
  );
}

/** Messages that are types: mentions of one type share one message, which is left as it is. */
const types = new WeakSet<object>();

/** Says that a message is a type. */
export function rememberType(message: object): void {
  types.add(message);
}

/** True for a type, in which there are no nodes to look for. */
export function isType(message: object): boolean {
  return types.has(message);
}

/**
 * Flattens what the GoogleSQL server answers. The protos nest each class in a field per base class (`parent`) and each
 * polymorphic field in a one-of per abstract class (`node` names the one that is set).
 */
export function flattenTree(message: unknown): unknown {
  if (Array.isArray(message)) return message.map(flattenTree);
  if (message === null || typeof message !== "object" || Buffer.isBuffer(message)) return message;
  if (types.has(message)) return message;
  const source = message as Record<string, unknown>;
  if (typeof source.node === "string" && source.node in source) return unwrap(source, source.node);
  const flat: Record<string, unknown> = {};
  copyFields(source, flat);
  return flat;
}

function unwrap(source: Record<string, unknown>, name: string): unknown {
  const inner = source[name] as Record<string, unknown>;
  const value = flattenTree(inner) as Record<string, unknown>;
  return value.kind === undefined ? { kind: kindOf(name), ...value } : value;
}

function copyFields(source: Record<string, unknown>, target: Record<string, unknown>): void {
  for (const [field, value] of Object.entries(source)) {
    if (value === null || value === undefined) continue;
    if (field === "parent") copyFields(value as Record<string, unknown>, target);
    else target[field] = flattenTree(value);
  }
}
