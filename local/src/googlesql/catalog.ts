import type { RangeElementKind, SqlType } from "../types.ts";
import { APPENDS_FUNCTION } from "./appends.ts";
import type { GoogleSqlClient, Message } from "./client.ts";
import { EXTENDED_FUNCTIONS, LATER_BUILTIN_FUNCTIONS } from "./later-functions.ts";
import { LIKE_UNNEST_FUNCTIONS } from "./like-unnest.ts";
import { sessionizeFunction } from "./sessionize.ts";
import type { FoundTable } from "./source.ts";
import { toTypeProto } from "./types.ts";
import { UNDOCUMENTED_FUNCTIONS } from "./undocumented-functions.ts";

/** A table and the path by which a statement names it. */
export interface NamedTable {
  readonly path: readonly string[];
  readonly table: FoundTable;
}

/** A routine's part of a catalog: the messages its own analysis gave. */
export interface NamedRoutine {
  readonly path: readonly string[];
  readonly kind: "function" | "tvf" | "procedure";
  readonly message: Message;
}

interface Folder {
  readonly name: string;
  readonly folders: Map<string, Folder>;
  readonly messages: {
    table: Message[];
    customFunction: Message[];
    customTvf: Message[];
    procedure: Message[];
  };
}

function newFolder(name: string): Folder {
  return {
    name,
    folders: new Map(),
    messages: { table: [], customFunction: [], customTvf: [], procedure: [] },
  };
}

/** The name under which a table stands in resolved trees. */
export function treeName({ ref }: FoundTable): string {
  return `${ref.projectId}.${ref.datasetId}.${ref.tableId}`;
}

/**
 * The catalog of one statement: nested catalogs as its paths need them, and the script's variables as constants. `sessions`: the element of
 * the RANGEs that RANGE_SESSIONIZE takes, where the statement calls it.
 */
export function buildCatalog(
  tables: readonly NamedTable[],
  routines: readonly NamedRoutine[],
  variables: ReadonlyMap<string, SqlType>,
  languageOptions: Message,
  sessions?: RangeElementKind,
): Message {
  const root = newFolder("bigquery");
  for (const { path, table } of tables) {
    const name = path.at(-1) ?? "";
    folderOf(root, path).messages.table.push({ ...tableMessage(table), nameInCatalog: name });
  }
  for (const { path, kind, message } of routines) {
    const { messages } = folderOf(root, path);
    const list = {
      function: messages.customFunction,
      tvf: messages.customTvf,
      procedure: messages.procedure,
    }[kind];
    list.push({ ...message, namePath: path });
  }
  const own = new Set(root.messages.customFunction.map(({ namePath }) => String(namePath).toLowerCase()));
  const later = LATER_BUILTIN_FUNCTIONS.filter(({ namePath }) => !own.has(String(namePath)));
  root.messages.customFunction.push(...later, ...LIKE_UNNEST_FUNCTIONS);
  root.messages.customTvf.push(APPENDS_FUNCTION);
  if (sessions !== undefined) root.messages.customTvf.push(sessionizeFunction(sessions));
  const constant = [...variables].map(([name, type]) => ({
    namePath: [name],
    type: toTypeProto(type),
    value: {},
  }));
  return {
    ...folderMessage(root),
    constant,
    builtinFunctionOptions: {
      languageOptions,
      excludeFunctionIds: [...UNDOCUMENTED_FUNCTIONS, ...EXTENDED_FUNCTIONS],
    },
  };
}

function folderOf(root: Folder, path: readonly string[]): Folder {
  let folder = root;
  for (const segment of path.slice(0, -1)) {
    // GoogleSQL's own catalogs ignore case; two spellings of one name share a folder.
    const key = segment.toLowerCase();
    const next = folder.folders.get(key) ?? newFolder(segment);
    folder.folders.set(key, next);
    folder = next;
  }
  return folder;
}

function folderMessage({ name, folders, messages }: Folder): Message {
  return { name, ...messages, catalog: [...folders.values()].map(folderMessage) };
}

function tableMessage(table: FoundTable): Message {
  const name = treeName(table);
  const column = table.columns.map(({ name, type, pseudo, writable, hasDefault }) => ({
    name,
    type: toTypeProto(type),
    isPseudoColumn: pseudo === true,
    isWritableColumn: pseudo !== true || writable === true,
    hasDefaultValue: hasDefault === true,
  }));
  return { name, fullName: name, column };
}

const KEPT = 100;

interface Registered {
  readonly id: Promise<string>;
  readonly generation: number;
  users: number;
  evicted: boolean;
}

/** Catalogs registered with the server, the latest used kept; one that is in use is given up only afterwards. */
export class CatalogRegistry {
  readonly #client: GoogleSqlClient;
  readonly #registered = new Map<string, Registered>();

  constructor(client: GoogleSqlClient) {
    this.#client = client;
  }

  /** Runs `use` with the id of the catalog that `build` makes for this key; again, where the server ended under it. */
  use<T>(key: string, build: () => Message, use: (id: string) => Promise<T>): Promise<T> {
    return this.#client.retrying(async () => {
      const generation = await this.#client.generation();
      const entry = this.#entry(key, build, generation);
      entry.users++;
      try {
        return await use(await entry.id);
      } finally {
        entry.users--;
        if (entry.evicted) this.#release(entry);
      }
    });
  }

  #entry(key: string, build: () => Message, generation: number): Registered {
    const known = this.#registered.get(key);
    this.#registered.delete(key);
    if (known !== undefined && known.generation === generation) {
      this.#registered.set(key, known);
      return known;
    }
    const id = this.#client
      .callOnce("registerCatalog", { simpleCatalog: build() })
      .then((answer) => String(answer.registeredId));
    const entry: Registered = { id, generation, users: 0, evicted: false };
    id.catch(() => this.#registered.delete(key));
    this.#registered.set(key, entry);
    this.#evict();
    return entry;
  }

  #evict(): void {
    for (const [key, entry] of this.#registered) {
      if (this.#registered.size <= KEPT) return;
      this.#registered.delete(key);
      entry.evicted = true;
      this.#release(entry);
    }
  }

  #release(entry: Registered): void {
    if (entry.users > 0) return;
    void entry.id
      .then((registeredId) => this.#client.callOnce("unregisterCatalog", { registeredId }))
      .catch(() => undefined);
  }
}
