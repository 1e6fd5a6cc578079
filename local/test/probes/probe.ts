import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";

/** A cell as probes write it: text, NULL, the elements of an array or the fields of a STRUCT. */
export type Cell = string | null | readonly Cell[];

/** What a probe sends: a query, the configuration of another kind of job, or any request. */
export interface Step {
  readonly sql?: string;
  /** A job's `configuration`; DATASET stands for the probe's own dataset. */
  readonly job?: string;
  /** What a load job uploads. */
  readonly upload?: string;
}

/** A construct, a script that uses it, and what BigQuery's documentation says must come of it. */
export interface Probe {
  readonly family: string;
  readonly construct: string;
  /** The page, and its section, that decides the result. */
  readonly docs: string;
  readonly steps: readonly Step[];
  /** The rows of the last step, where the construct is supported. */
  readonly rows?: readonly (readonly Cell[])[];
  /** BigQuery's own error, where that is what the construct gives. */
  readonly error?: string;
  /** The endpoint's refusal, where it does not run the construct. */
  readonly refused?: string;
  /** How the endpoint's answer is narrower than the construct. */
  readonly note?: string;
}

const FOLDER = path.join(import.meta.dirname, "cases");
const NOT_A_FUNCTION_PAGE = /^[^#]*#/;

/** All probes of test/probes/cases, in the order of the files' names. */
export function readProbes(): readonly Probe[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .flatMap((name) => parseProbes(name, readFileSync(path.join(FOLDER, name), "utf8")));
}

type Raw = Readonly<Record<string, unknown>>;

/** Reads a family: every scalar is text, except NULL. */
function parseProbes(file: string, content: string): readonly Probe[] {
  const { family, docs, probes } = parse(content, { schema: "failsafe" }) as {
    family: string;
    docs: string;
    probes: readonly Raw[];
  };
  return probes.map((raw) => {
    const construct = String(raw.construct);
    const probe: Probe = {
      family,
      construct,
      docs: docsOf(docs, construct, raw.see as string | undefined),
      steps: (raw.steps as readonly Step[] | undefined) ?? [{ sql: String(raw.sql) }],
      rows: (raw.gives as readonly unknown[] | undefined)?.map(rowOf),
      error: raw.error as string | undefined,
      refused: raw.refused as string | undefined,
      note: raw.note as string | undefined,
    };
    if ([probe.rows, probe.error, probe.refused].filter((each) => each !== undefined).length !== 1) {
      throw new Error(`${file}: "${construct}" needs one of gives, error and refused`);
    }
    return probe;
  });
}

/** `see` is a section of the family's page or another page; a function's section has the function's name. */
function docsOf(page: string, construct: string, see: string | undefined): string {
  if (see?.startsWith("https://")) return see;
  if (see !== undefined) return `${page}${see}`;
  const name = /^[A-Z][A-Z0-9_.]*/.exec(construct)?.[0].toLowerCase().replace(".", "");
  return NOT_A_FUNCTION_PAGE.test(page) || name === undefined || !page.includes("functions")
    ? page
    : `${page}#${name}`;
}

/** A row of one column may be written without its brackets. */
function rowOf(raw: unknown): readonly Cell[] {
  return Array.isArray(raw) ? raw.map(cellOf) : [cellOf(raw)];
}

function cellOf(raw: unknown): Cell {
  if (Array.isArray(raw)) return raw.map(cellOf);
  return raw === "NULL" || raw === null ? null : String(raw);
}
