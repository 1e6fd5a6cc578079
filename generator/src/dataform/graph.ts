import { InputError } from "../project/problems.ts";

/** The name of a table, a view, or an action without either. */
export interface Target {
  /** The Google Cloud project. */
  readonly database: string;
  /** The dataset. */
  readonly schema: string;
  readonly name: string;
}

/** What the compiled graph says of every action, as far as we use it. */
export interface CompiledAction {
  readonly target: Target;
  readonly fileName: string;
  readonly disabled?: boolean;
  readonly tags?: readonly string[];
  readonly dependencyTargets?: readonly Target[];
  readonly actionDescriptor?: unknown;
  readonly bigquery?: unknown;
}

/** A table, a view or an incremental table: a query with statements before and after it. */
export interface CompiledTable extends CompiledAction {
  readonly type: "table" | "view" | "incremental";
  readonly query: string;
  readonly preOps?: readonly string[];
  readonly postOps?: readonly string[];
  /** What takes the place of `query` and `preOps` where the table exists already. */
  readonly incrementalQuery?: string;
  readonly incrementalPreOps?: readonly string[];
  readonly uniqueKey?: readonly string[];
  readonly bigquery?: { readonly partitionBy?: string; readonly clusterBy?: readonly string[] };
}

/** Statements of one's own, a job each. */
interface CompiledOperation extends CompiledAction {
  readonly queries: readonly string[];
}

/** A query that must find nothing. */
interface CompiledAssertion extends CompiledAction {
  readonly query: string;
}

/** A query on given rows, and the rows it must give. */
interface CompiledTest extends CompiledAction {
  readonly name: string;
  readonly testQuery: string;
  readonly expectedOutputQuery: string;
}

/** The graph of a project in Dataform's own JSON (message CompiledGraph of @dataform/core's core.proto), as far as we use it. */
export interface CompiledGraph {
  readonly tables?: readonly CompiledTable[];
  readonly operations?: readonly CompiledOperation[];
  readonly assertions?: readonly CompiledAssertion[];
  readonly tests?: readonly CompiledTest[];
  readonly declarations?: readonly CompiledAction[];
  readonly graphErrors?: {
    readonly compilationErrors?: readonly { readonly fileName?: string; readonly message?: string }[];
  };
}

/** What Dataform says against a project, one line each with its file. */
export function compilationProblem(
  errors: readonly { readonly fileName?: string; readonly message?: string }[],
): InputError {
  return new InputError(
    errors.map(({ fileName, message }) => ({
      file: fileName ?? "dataform compile",
      path: "",
      wrong: (message ?? "does not compile").split("\n")[0] ?? "",
      right: "correct it, and run `npm run generate` if the file is a generated one",
    })),
  );
}
