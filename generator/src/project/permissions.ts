/**
 * A role that BigQuery or Dataform predefines, and what it is granted on: https://cloud.google.com/bigquery/docs/access-control,
 * https://cloud.google.com/dataform/docs/access-control
 */
export interface Role {
  readonly role: string;
  readonly on: "the project" | "the datasets" | "the account of the runs";
}

const JOB_USER: Role = { role: "roles/bigquery.jobUser", on: "the project" };
const DATA_VIEWER: Role = { role: "roles/bigquery.dataViewer", on: "the datasets" };
const DATA_EDITOR: Role = { role: "roles/bigquery.dataEditor", on: "the datasets" };
/** Holds `bigquery.datasets.create`; it alone, where the datasets are there already, `init` can do without. */
const USER: Role = { role: "roles/bigquery.user", on: "the project" };
/** The predefined role that may write release and workflow configurations: Dataform's editor only reads a repository's. */
export const DATAFORM_ADMIN: Role = { role: "roles/dataform.admin", on: "the project" };

/** Without it Dataform lets nobody name an account: https://cloud.google.com/dataform/docs/strict-act-as-mode */
const ACCOUNT_USER: Role = { role: "roles/iam.serviceAccountUser", on: "the account of the runs" };

/** The least roles of each command that asks BigQuery or managed Dataform; docs/reference.md and deploy/terraform grant these. */
export const COMMAND_ROLES: Readonly<Record<string, readonly Role[]>> = {
  init: [DATA_EDITOR, JOB_USER, USER],
  load: [DATA_EDITOR, JOB_USER],
  update: [DATA_EDITOR, JOB_USER],
  status: [DATA_VIEWER, JOB_USER],
  erasure: [DATA_VIEWER, JOB_USER],
  review: [DATA_VIEWER, JOB_USER],
  cost: [DATA_VIEWER, JOB_USER],
  "bad-rows": [DATA_VIEWER, JOB_USER],
  new: [DATA_VIEWER],
  adopt: [DATA_EDITOR, JOB_USER, USER],
  upgrade: [DATA_EDITOR, JOB_USER, USER],
  uninstall: [DATA_VIEWER],
  schedule: [DATAFORM_ADMIN, ACCOUNT_USER],
};

/** The role among these that holds a permission which BigQuery missed. */
const ROLE_OF: readonly (readonly [RegExp, Role])[] = [
  [/^bigquery\.jobs\./, JOB_USER],
  [/^bigquery\.datasets\.create$/, USER],
  [/^bigquery\.(tables|datasets|routines)\.(get|list|getData)/, DATA_VIEWER],
  [/^bigquery\./, DATA_EDITOR],
  [/^dataform\./, DATAFORM_ADMIN],
];

/** What to grant where access was refused: the role of the permission that the message names, else `otherwise`: both that every run needs. */
export function remedyOf(message: string, otherwise: readonly Role[] = [DATA_EDITOR, JOB_USER]): string {
  const permission = /\b(?:bigquery|dataform)\.\w+\.\w+/.exec(message)?.[0];
  const found = ROLE_OF.find(([pattern]) => permission !== undefined && pattern.test(permission))?.[1];
  if (permission === undefined || found === undefined)
    return `grant ${otherwise.map(describe).join(" and ")}`;
  return `${permission} is missing: grant ${describe(found)}`;
}

function describe({ role, on }: Role): string {
  return `${role} on ${on}`;
}
