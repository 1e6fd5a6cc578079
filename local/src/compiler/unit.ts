import type { TreeNode } from "../googlesql/tree.ts";
import { quoteName } from "../values.ts";
import { CallScope } from "./call-scope.ts";
import type { CompileContext } from "./context.ts";
import { factsOf } from "./facts.ts";
import { findFirstElements } from "./first-elements.ts";
import type { CompiledExpr, Facts, Operand } from "./functions/types.ts";
import { ALL_ROWS, findNeededRows, type NeededRows } from "./needed-rows.ts";
import type { ReadCollector } from "./reads.ts";
import { columnId } from "./tree-access.ts";

/** Joins that DuckDB plans together. */
export interface JoinRegion {
  readonly joins: number;
  /** Tables stand side by side, and only a filter further up says how they belong together. */
  readonly hasCross: boolean;
  /** What is above these joins is planned without them. */
  readonly ends: boolean;
}

/** A WITH query: its name in DuckDB and the ids of its columns there. */
export interface WithQuery {
  readonly name: string;
  readonly ids: readonly string[];
  readonly region: JoinRegion;
}

/** What compiles parts of a tree. They hold one another, so each reaches the others through the unit that all of them take. */
export interface Compilers {
  readonly expr: (node: TreeNode, unit: Unit) => CompiledExpr;
  readonly keptExpr: (node: TreeNode, unit: Unit) => CompiledExpr;
  readonly scan: (node: TreeNode, unit: Unit) => string;
}

interface Shared {
  readonly context: CompileContext;
  readonly compilers: Compilers;
  readonly reads: ReadCollector;
  /** What is needed of each table scan of the trees compiled so far. */
  readonly neededRows: Map<TreeNode, NeededRows>;
  names: number;
  /** What holds of the expressions compiled so far. */
  notes: Facts;
}

/**
 * What is known where a piece of a tree is compiled. Column ids are unique in one analyzed tree, so a column is a DuckDB
 * name `c<id>` at any depth; the body of a function is another tree, so it gets a prefix of its own.
 */
export class Unit {
  private readonly overrides: ReadonlyMap<string, Operand>;
  /** Arguments of the function whose body this is, by name in lower case. */
  readonly functionArguments: ReadonlyMap<string, CompiledExpr>;
  readonly withQueries: Map<string, WithQuery>;
  /** Aggregates over an array of which only the first element is asked for: the column holds that element. */
  readonly firstElements: ReadonlySet<string>;
  /** The value that a `FlattenedArg` stands for. */
  readonly flattened?: CompiledExpr;
  /** Functions whose bodies enclose this one. */
  readonly callers: readonly string[];
  /** Columns that identify the rows of the queries outside. */
  readonly rowIds: readonly string[];
  /** Inside a subquery that refers to columns of an outer query. */
  readonly correlated: boolean;
  /** What must hold for the branch of a conditional expression to be chosen that this stands in. */
  readonly guard?: Operand;
  /** The scans of the subquery that this stands in have rows only where this holds. */
  readonly activeGuard?: string;

  private constructor(
    private readonly shared: Shared,
    private readonly prefix: string,
    state: {
      overrides?: ReadonlyMap<string, Operand>;
      functionArguments?: ReadonlyMap<string, CompiledExpr>;
      withQueries?: Map<string, WithQuery>;
      firstElements?: ReadonlySet<string>;
      flattened?: CompiledExpr;
      callers?: readonly string[];
      rowIds?: readonly string[];
      correlated?: boolean;
      guard?: Operand;
      activeGuard?: string;
    },
  ) {
    this.overrides = state.overrides ?? new Map();
    this.functionArguments = state.functionArguments ?? new Map();
    this.withQueries = state.withQueries ?? new Map();
    this.firstElements = state.firstElements ?? new Set();
    this.flattened = state.flattened;
    this.callers = state.callers ?? [];
    this.rowIds = state.rowIds ?? [];
    this.correlated = state.correlated ?? false;
    this.guard = state.guard;
    this.activeGuard = state.activeGuard;
  }

  /** The unit of a whole statement. */
  static ofStatement(
    context: CompileContext,
    reads: ReadCollector,
    compilers: Compilers,
    statement: TreeNode,
  ): Unit {
    const neededRows = new Map(findNeededRows(statement, context.neededRows));
    return new Unit({ context, compilers, reads, neededRows, names: 0, notes: {} }, "c", {
      firstElements: findFirstElements(statement),
    });
  }

  get context(): CompileContext {
    return this.shared.context;
  }

  get reads(): ReadCollector {
    return this.shared.reads;
  }

  /** An expression of the resolved tree as DuckDB SQL. */
  expr(node: TreeNode): CompiledExpr {
    return this.noted(this.shared.compilers.expr(node, this));
  }

  /** An expression whose value is kept, not only asked for: see `compileKeptExpr`. */
  keptExpr(node: TreeNode): CompiledExpr {
    return this.noted(this.shared.compilers.keptExpr(node, this));
  }

  private noted(expr: CompiledExpr): CompiledExpr {
    this.shared.notes = factsOf([this.shared.notes, expr]);
    return expr;
  }

  /** What compiling a part of the tree gives, and what holds of the expressions in it. */
  noting<T>(work: () => T): { readonly result: T; readonly facts: Facts } {
    const before = this.shared.notes;
    this.shared.notes = {};
    const result = work();
    const facts = this.shared.notes;
    this.shared.notes = factsOf([before, facts]);
    return { result, facts };
  }

  /** Says what holds of something that this unit has not compiled itself, such as a view's query. */
  note(facts: Facts): void {
    this.shared.notes = factsOf([this.shared.notes, facts]);
  }

  /** A scan of the resolved tree as a DuckDB SELECT whose columns are the scan's, named by their ids. */
  scan(node: TreeNode): string {
    return this.shared.compilers.scan(node, this);
  }

  /** A scan as an item of a FROM clause. */
  from(node: TreeNode): string {
    return `(${this.scan(node)}) AS ${this.fresh("q")}`;
  }

  /** The rows that are needed of a table scan. */
  neededRows(scan: TreeNode): NeededRows {
    return this.shared.neededRows.get(scan) ?? ALL_ROWS;
  }

  /** CURRENT_TIMESTAMP of the statement, µs since 1970. */
  get now(): bigint {
    return this.shared.context.now;
  }

  /** A DuckDB name that nothing else in the statement uses. */
  fresh(prefix: string): string {
    this.shared.names += 1;
    return `${prefix}${this.shared.names}`;
  }

  /** The name that a column has in DuckDB. */
  column(id: string): string {
    return `${this.prefix}${id}`;
  }

  /** A column where it is referred to: its name, or what stands for it here. */
  columnSql(id: string): string {
    return this.columnOperand(id).sql;
  }

  /** A column where it is referred to, with what is known of what stands for it. */
  columnOperand(id: string): Operand {
    return this.overrides.get(id) ?? { sql: this.column(id), hasColumns: true };
  }

  /** `expr AS name` for a column that a scan makes. */
  define(sql: string, id: string): string {
    const name = this.column(id);
    return sql === name ? name : `${sql} AS ${name}`;
  }

  /** A SELECT list of columns that the input has; DuckDB wants at least one. */
  columnList(columns: readonly TreeNode[]): string {
    const names = [...new Set(columns.map(columnId))].map((id) => this.define(this.columnSql(id), id));
    return names.length === 0 ? `1 AS ${quoteName("none")}` : names.join(", ");
  }

  /** The same place in the tree, with other DuckDB expressions for some columns. */
  withColumns(columns: ReadonlyMap<string, Operand>): Unit {
    return this.derive({ overrides: new Map([...this.overrides, ...columns]) });
  }

  /** The same place in a function's body, with other DuckDB expressions for some arguments. */
  withArguments(functionArguments: ReadonlyMap<string, CompiledExpr>): Unit {
    return this.derive({ functionArguments: new Map([...this.functionArguments, ...functionArguments]) });
  }

  /** The same place, inside a FLATTEN over this value. */
  withFlattened(value: CompiledExpr): Unit {
    return this.derive({ flattened: value });
  }

  /** The body of a function, called with these arguments. */
  withBody(name: string, functionArguments: ReadonlyMap<string, CompiledExpr>, body?: TreeNode): Unit {
    if (body !== undefined)
      for (const [scan, rows] of findNeededRows(body)) this.shared.neededRows.set(scan, rows);
    return new Unit(this.shared, `${this.fresh("u")}_c`, {
      functionArguments,
      firstElements: body === undefined ? new Set() : findFirstElements(body),
      callers: [...this.callers, name],
      rowIds: this.rowIds,
      correlated: this.correlated,
      guard: this.guard,
    });
  }

  /** The same place, in the branch of a conditional expression that is chosen where this holds. */
  withGuard(guard: Operand): Unit {
    const both = this.guard === undefined ? guard.sql : `(${this.guard.sql} AND ${guard.sql})`;
    return this.derive({
      guard: { sql: both, hasColumns: guard.hasColumns === true || this.guard?.hasColumns === true },
    });
  }

  /** A subquery in this place, whose scans have rows only where the guard of the place holds, if it is applied. */
  inSubquery(isGuarded: boolean): Unit {
    return this.derive({ guard: undefined, activeGuard: isGuarded ? this.guard?.sql : undefined });
  }

  /** The same place, over rows that this column identifies. */
  withRowId(column: string): Unit {
    return this.derive({ rowIds: [...this.rowIds, column] });
  }

  /** The same place, inside a subquery that refers to columns of an outer query. */
  withCorrelation(): Unit {
    return this.derive({ correlated: true });
  }

  private derive(change: {
    functionArguments?: ReadonlyMap<string, CompiledExpr>;
    overrides?: ReadonlyMap<string, Operand>;
    flattened?: CompiledExpr;
    rowIds?: readonly string[];
    correlated?: boolean;
    guard?: Operand;
    activeGuard?: string;
  }): Unit {
    return new Unit(this.shared, this.prefix, {
      overrides: this.overrides,
      functionArguments: this.functionArguments,
      withQueries: this.withQueries,
      firstElements: this.firstElements,
      flattened: this.flattened,
      callers: this.callers,
      rowIds: this.rowIds,
      correlated: this.correlated,
      guard: this.guard,
      activeGuard: this.activeGuard,
      ...change,
    });
  }

  /** Gives `use` an operand that may be written several times: the expression itself, or a name it is bound to. */
  bindOnce(expr: CompiledExpr, use: (operand: CompiledExpr) => CompiledExpr): CompiledExpr {
    const scope = new CallScope(this, [expr]);
    let inner: CompiledExpr | undefined;
    const sql = scope.once(expr.sql, (operand) => {
      const isBound = operand !== expr.sql;
      inner = use(
        isBound
          ? {
              sql: operand,
              type: expr.type,
              literal: expr.literal,
              hasColumns: this.correlated && expr.isVolatile,
            }
          : expr,
      );
      return inner.sql;
    });
    if (inner === undefined) throw new Error("a binding without a body");
    const { type } = inner;
    return { ...factsOf([expr, inner]), hasSubquery: scope.made.subquery || inner.hasSubquery, sql, type };
  }
}
