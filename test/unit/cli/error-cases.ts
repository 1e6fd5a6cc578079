/** A mistake: what is otherwise in a project that is right, and the command that meets it. */
export interface ErrorCase {
  readonly name: string;
  /** Text of the project's files that is replaced: file, what stands there, what stands there instead. */
  readonly edits?: readonly (readonly [file: string, from: string, to: string])[];
  /** Files beside those of the project; undefined takes one away. */
  readonly files?: Readonly<Record<string, string | undefined>>;
  readonly run: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What BigQuery answers to requests whose line (`GET /projects/…`) has this in it, before what it answers when all is well. */
  readonly answers?: readonly (readonly [request: string, status: number, body: object])[];
}

const SCHEMA = "schemas/customer.json";

/** A project in which nothing is wrong. */
export const PROJECT: Readonly<Record<string, string>> = {
  "dataform.json": `{
  "warehouse": "bigquery",
  "defaultDatabase": "acme-crm",
  "defaultSchema": "analytics",
  "assertionSchema": "analytics",
  "defaultLocation": "EU"
}
`,
  "entities.json": `{
  "entities": [
    {
      "name": "customer",
      "schema": "schemas/customer.json",
      "key": ["customer_id"],
      "ingestTimestamp": "loaded_at",
      "lookback": "1 hour"
    }
  ]
}
`,
  [SCHEMA]: `[
  { "name": "customer_id", "type": "STRING", "mode": "REQUIRED" },
  { "name": "loaded_at", "type": "TIMESTAMP", "mode": "REQUIRED" },
  { "name": "email", "type": "STRING", "description": "Where they read." },
  { "name": "score", "type": "NUMERIC", "precision": 10, "scale": 2 },
  { "name": "tags", "type": "STRING", "mode": "REPEATED" },
  {
    "name": "address",
    "type": "RECORD",
    "fields": [
      { "name": "street", "type": "STRING" },
      { "name": "city", "type": "STRING" }
    ]
  }
]
`,
  "good.ndjson": '{"customer_id":"a","loaded_at":"2026-01-01T00:00:00Z","email":"a@x.org"}\n',
};

const schema = (name: string, from: string, to: string): ErrorCase => ({
  name,
  edits: [[SCHEMA, from, to]],
  run: ["generate"],
});
const entities = (name: string, from: string, to: string): ErrorCase => ({
  name,
  edits: [["entities.json", from, to]],
  run: ["generate"],
});
const dataform = (name: string, from: string, to: string): ErrorCase => ({
  name,
  edits: [["dataform.json", from, to]],
  run: ["generate"],
});
const line = (name: string, ...run: string[]): ErrorCase => ({ name, run });
const data = (name: string, file: string, text: string): ErrorCase => ({
  name,
  files: { [file]: text },
  run: ["load", "customer", "good.ndjson", file],
});
const row = (name: string, rest: string): ErrorCase =>
  data(
    name,
    "bad.ndjson",
    `{"customer_id":"a","loaded_at":"2026-01-01T00:00:00Z"}\n{"customer_id":"b",${rest}}\n`,
  );
const error = (code: number, reason: string, message: string) => ({
  error: { code, message, errors: [{ reason, message }] },
});
const service = (name: string, status: number, body: object): ErrorCase => ({
  name,
  run: ["init"],
  answers: [["GET /projects/acme-crm/datasets/analytics", status, body]],
});

/** Google's own client, with the key file of this name and text, or without the file; it asks nobody before it has read it. */
const credentials = (name: string, text: string | undefined, file = "key.json"): ErrorCase => ({
  name,
  files: { [file]: text },
  env: {
    BIGQUERY_EMULATOR_HOST: "",
    METADATA_SERVER_DETECTION: "none",
    GOOGLE_APPLICATION_CREDENTIALS: file,
  },
  run: ["status"],
});

const EMAIL = '"email", "type": "STRING"';
const CITY = '"city", "type": "STRING"';

/** The mistakes, by what is wrong. */
export const ERROR_CASES: Readonly<Record<string, readonly ErrorCase[]>> = {
  schema: [
    schema("a comma too many", '"city", "type": "STRING" }', '"city", "type": "STRING" },'),
    schema("a comma too few", '{ "name": "tags"', '{ "name" "tags"'),
    schema("a comment", "[\n", "[ // fields\n"),
    schema("single quotes", '"email"', "'email'"),
    schema("a text that does not end", '"Where they read."', '"Where they read.'),
    schema("a member twice", '"mode": "REPEATED"', '"mode": "REPEATED", "mode": "NULLABLE"'),
    schema("a type that is none", EMAIL, '"email", "type": "TEXT"'),
    schema("a type with a slip", CITY, '"city", "type": "SRTING"'),
    schema("no type", EMAIL, '"email"'),
    schema("a mode with a slip", '"mode": "REPEATED"', '"mode": "REPEATD"'),
    schema("a mode that is none", '"mode": "REPEATED"', '"mode": "OPTIONAL"'),
    schema("an option with a slip", '"description": "Where', '"descripton": "Where'),
    schema("an option that is none", '"description": "Where they read."', '"unique": true'),
    schema("a name twice", '"email"', '"score"'),
    schema("names that differ in case alone", '"email"', '"Score"'),
    schema("a dot in a name", '"email"', '"e.mail"'),
    schema("a name that BigQuery reserves", '"email"', '"_PARTITION_ID"'),
    schema("a name that the tables use", '"email"', '"_versions"'),
    schema("an empty name", '"email"', '""'),
    schema("a name that is a number", '"name": "email"', '"name": 5'),
    schema("a field that is a text", '{ "name": "tags", "type": "STRING", "mode": "REPEATED" }', '"tags"'),
    schema(
      "a RECORD without fields",
      '"type": "RECORD",',
      '"type": "RECORD", "merge": "atomic" }, { "name": "x", "type": "RECORD",',
    ),
    schema("fields of a STRING", '"type": "RECORD"', '"type": "STRING"'),
    schema("precision of a STRING", EMAIL, '"email", "type": "STRING", "precision": 5'),
    schema("a scale finer than NUMERIC's", '"scale": 2', '"scale": 12'),
    schema("a precision in words", '"precision": 10', '"precision": "ten"'),
    schema("a RANGE of nothing", EMAIL, '"email", "type": "RANGE"'),
    schema("a policy with a slip", EMAIL, '"email", "type": "STRING", "merge": "lastest"'),
    schema("a sum", '"scale": 2', '"scale": 2, "merge": "sum"'),
    schema("union of one value", EMAIL, '"email", "type": "STRING", "merge": "union"'),
    schema("a policy tag", EMAIL, '"email", "type": "STRING", "policyTags": {"names": ["t"]}'),
    schema("a collation", EMAIL, '"email", "type": "STRING", "collation": "und:ci"'),
    schema("a default", EMAIL, '"email", "type": "STRING", "defaultValueExpression": "\'x\'"'),
    { name: "no list of fields", files: { [SCHEMA]: '{"columns": []}' }, run: ["generate"] },
    { name: "an empty list of fields", files: { [SCHEMA]: "[]" }, run: ["generate"] },
    { name: "an empty file", files: { [SCHEMA]: "" }, run: ["generate"] },
  ],
  entities: [
    { name: "no file", files: { "entities.json": undefined }, run: ["generate"] },
    entities("no JSON", '"entities": [', '"entities": {'),
    entities("an option with a slip", '"lookback"', '"lookBack"'),
    entities("an option that is none", '"lookback": "1 hour"', '"schedule": "daily"'),
    entities("no key", '"key": ["customer_id"],', ""),
    entities("a key that is a text", '["customer_id"]', '"customer_id"'),
    entities("an empty key", '["customer_id"]', "[]"),
    entities("a key with a slip", '["customer_id"]', '["custmer_id"]'),
    entities("a key that is REPEATED", '["customer_id"]', '["tags"]'),
    entities("a key that is the timestamp", '["customer_id"]', '["loaded_at"]'),
    entities("a timestamp with a slip", '"loaded_at"', '"load_at"'),
    entities("a timestamp of another type", '"loaded_at"', '"email"'),
    entities("a lookback in words", '"1 hour"', '"an hour"'),
    entities("a lookback without end", '"1 hour"', '"99999 days"'),
    entities("a name that is no table's", '"name": "customer"', '"name": "crm-customer"'),
    entities("a schema that is not there", "schemas/customer.json", "schemas/custmer.json"),
    entities("a dataset that is none", '"lookback": "1 hour"', '"dataset": "my-dataset"'),
    entities("one clock twice", '"lookback": "1 hour"', '"eventTimestamp": "loaded_at"'),
    entities("a column for clears of another type", '"lookback": "1 hour"', '"clearedFields": "email"'),
    entities("two tables of one name", '"lookback": "1 hour"', '"tables": {"final": "customer_updates"}'),
    entities(
      "an environment of nothing that Dataform knows",
      '"entities": [',
      '"environments": { "dev": { "sufix": "dev" } },\n  "entities": [',
    ),
    entities(
      "a suffix that fits in no name",
      '"entities": [',
      '"environments": { "dev": { "schemaSuffix": "-dev" } },\n  "entities": [',
    ),
    entities(
      "an environment in two places",
      '"entities": [',
      '"environments": { "dev": { "schemaSuffix": "dev", "defaultDatabase": "acme-dev" } },\n  "entities": [',
    ),
    entities("a table that is none", '"lookback": "1 hour"', '"tables": {"finl": "x"}'),
  ],
  dataform: [
    { name: "no file", files: { "dataform.json": undefined }, run: ["status"] },
    dataform("no project", '"defaultDatabase": "acme-crm",', ""),
    dataform("a project by its name", '"acme-crm"', '"Acme CRM"'),
    dataform("a dataset that is none", '"defaultSchema": "analytics"', '"defaultSchema": "crm-analytics"'),
    dataform("an empty location", '"EU"', '""'),
    dataform("a location that is none", '"EU"', '"Mars"'),
    dataform("a setting with a slip", '"defaultLocation"', '"defaltLocation"'),
  ],
  commands: [
    line("no command"),
    line("a command with a slip", "updte"),
    line("a command that is none", "frobnicate"),
    line("an option with a slip", "init", "--paln"),
    line("an option that is none", "status", "--frobnicate"),
    line("an argument too many", "init", "customer"),
    line("an argument too few", "load", "customer"),
    line("an entity with a slip", "load", "custmer", "good.ndjson"),
    line("a value that is none of the few", "review", "--base", "main", "--format", "pdf"),
    { ...line("no folder for a new project, by npx", "new"), env: { npm_lifecycle_event: "npx" } },
    {
      ...line("an option that is none, by npx in a project that has the script", "status", "--frobnicate"),
      files: { "package.json": '{"scripts": {"status": "node tool.js status"}}' },
      env: { npm_lifecycle_event: "npx" },
    },
    line("an option without its value", "review", "--base"),
    {
      ...line("an option that npm took", "init"),
      env: {
        npm_lifecycle_event: "init",
        npm_config_parseable: "true",
        npm_config_long: "true",
        npm_config_all: "true",
      },
    },
    {
      ...line("an option with a value that npm took", "status", "2h"),
      env: { npm_lifecycle_event: "status", npm_config_max_lag: "true" },
    },
    line("rows that are not there for a new entity", "new", "contact", "--from-file", "none.ndjson"),
    line("a schema that is not there for a new entity", "new", "contact", "--from-schema", "none.json"),
    line("a new entity that differs in case alone", "new", "Customer", "--from-file", "good.ndjson"),
    line("a new project in a project by its name", "new", "../crm", "--yes", "--cloud-project", "Acme CRM"),
    {
      ...line("a new project of a schema with a slip", "new", "../crm", "--entity=c", "--from-schema=c.json"),
      files: {
        "c.json":
          '{"fields": [{"name": "userId", "type": "STRING"}, {"name": "x", "type": "SRTING"}, {"name": "loadedAt", "type": "TIMESTAMP"}]}',
      },
    },
    line("a new project without its schema", "new", "../crm", "--entity", "c"),
    line("a new project in a location that is none", "new", "../crm", "--yes", "--location", "Mars"),
    line("a new project of the example with a key", "new", "../crm", "--yes", "--key", "a"),
    line("a new entity with another name", "new", "contact", "--entity", "c", "--from-file", "good.ndjson"),
    line("an empty value", "new", "contact", "--from-file", "good.ndjson", "--key", ""),
    line("a comma too many", "new", "contact", "--from-file", "good.ndjson", "--key", "customer_id,"),
    {
      ...line("a list in a list", "new", "contact", "--from-file", "lists.ndjson"),
      files: { "lists.ndjson": '{"id":"a","at":"2026-01-01T00:00:00Z","m":[[1]]}\n' },
    },
    {
      ...line("a new entity without a TIMESTAMP", "new", "contact", "--from-file", "people.ndjson"),
      files: { "people.ndjson": '{"id":"a","at":"yesterday"}\n' },
    },
    line("a file that is not there", "load", "customer", "none.ndjson"),
    line("a format that is none", "load", "customer", "entities.txt"),
    line("a folder without a project", "generate", "--project", "nowhere"),
    line("a flag of Dataform with a slip", "update", "--tgas", "customer"),
    line("a word that is no flag", "update", "customer"),
    line("another environment's flag", "update", "--schema-suffix", "dev"),
    line("an environment that is none", "status", "--env", "dev"),
    line("a variable with a slip", "update", "--vars=rebuld=true"),
    line("a variable without a value", "update", "--vars=rebuild"),
    line("SQLX that is stale", "update"),
  ],
  data: [
    row("a column with a slip", '"loaded_at":"2026-01-01T00:00:00Z","emial":"x"'),
    row("a nested column that is none", '"loaded_at":"2026-01-01T00:00:00Z","address":{"zip":"x"}'),
    row("a time that is none", '"loaded_at":"soon"'),
    row("a REQUIRED column left out", '"email":"x"'),
    row("a text where a list is", '"loaded_at":"2026-01-01T00:00:00Z","tags":"x"'),
    row("NULL in a list", '"loaded_at":"2026-01-01T00:00:00Z","tags":[null]'),
    row("a day that is none", '"loaded_at":"2026-02-30T00:00:00Z"'),
    row(
      "a number beyond its column",
      '"loaded_at":"2026-01-01T00:00:00Z","score":123456789012345678901234567890',
    ),
    row("one name twice", '"loaded_at":"2026-01-01T00:00:00Z","email":"x","email":"y"'),
    row("one column twice", '"loaded_at":"2026-01-01T00:00:00Z","email":"x","EMAIL":"y"'),
    data("a line that is no JSON", "bad.ndjson", '{"customer_id":\n'),
    data("pretty-printed JSON", "bad.json", '{\n  "customer_id": "a"\n}\n'),
    data("a number for a record", "bad.ndjson", "5\n"),
    data("an empty CSV file", "bad.csv", ""),
    data("a header with a slip", "bad.csv", "customer_id,emial\na,x\n"),
    data("a column named twice", "bad.csv", "customer_id,CUSTOMER_ID\na,b\n"),
    data("semicolons", "bad.csv", "customer_id;email\na;x\n"),
    data("too few cells", "bad.csv", "customer_id,email\na\n"),
    data("a quote that never closes", "bad.csv", 'customer_id,email\na,"x\n'),
    data("text after a closing quote", "bad.csv", 'customer_id,email\na,"x"y\n'),
    data("a number that is none", "bad.csv", "customer_id,loaded_at,score\na,2026-01-01,many\n"),
    data("a file that is no Parquet", "bad.parquet", "PAR?"),
  ],
  credentials: [
    credentials("a key file that is not there", undefined),
    credentials("a key file that was cut off", ""),
    credentials("a key file that is none", '{"type":"key"}'),
    credentials(
      "a key file whose key is none",
      '{"type":"service_account","client_email":"a@acme-crm.iam.gserviceaccount.com","private_key":"none"}',
    ),
    credentials("a folder in place of a key file", undefined, "schemas"),
    {
      ...credentials("no key file for managed Dataform", undefined),
      files: {
        "key.json": undefined,
        "schedule.json":
          '{"region":"europe-west1","git":{"url":"https://example.com/a.git","tokenSecret":"t"},"serviceAccount":"a@acme-crm.iam.gserviceaccount.com"}',
      },
      run: ["schedule", "--plan"],
    },
  ],
  bigquery: [
    service(
      "access refused",
      403,
      error(
        403,
        "accessDenied",
        "Access Denied: Dataset acme-crm:analytics: Permission bigquery.datasets.get denied",
      ),
    ),
    service(
      "a quota",
      403,
      error(403, "quotaExceeded", "Quota exceeded: Your project exceeded quota for API requests"),
    ),
    service(
      "billing that is off",
      403,
      error(403, "billingNotEnabled", "BigQuery: Billing has not been enabled for this project"),
    ),
    service(
      "a project that is not there",
      400,
      error(400, "invalid", "The project acme-crm has not enabled BigQuery."),
    ),
    {
      name: "a job that may not be made",
      run: ["init"],
      answers: [
        [
          "GET /projects/acme-crm/datasets/analytics",
          403,
          error(
            403,
            "accessDenied",
            "Access Denied: Project acme-crm: User does not have bigquery.jobs.create permission in project acme-crm.",
          ),
        ],
      ],
    },
    {
      name: "a table that may not be changed",
      run: ["load", "customer", "good.ndjson"],
      answers: [
        [
          "/tables/customer_updates",
          403,
          error(
            403,
            "accessDenied",
            "Access Denied: Table acme-crm:analytics.customer_updates: Permission bigquery.tables.updateData denied",
          ),
        ],
      ],
    },
    service(
      "a transaction that lost",
      400,
      error(
        400,
        "invalidQuery",
        "Transaction is aborted due to concurrent update against table acme-crm:analytics.customer_watermark",
      ),
    ),
    { name: "a folder that cannot be written to", run: ["new", "good.ndjson/crm", "--yes"] },
    {
      name: "a file where a folder is to be",
      files: { definitions: "" },
      run: ["generate"],
    },
    {
      name: "a dataset elsewhere",
      run: ["init"],
      answers: [["GET /projects/acme-crm/datasets/analytics", 200, { location: "US" }]],
    },
    {
      name: "a table that is not there",
      run: ["load", "customer", "good.ndjson"],
      answers: [
        [
          "/tables/customer_updates",
          404,
          error(404, "notFound", "Not found: Table acme-crm:analytics.customer_updates"),
        ],
      ],
    },
    {
      name: "somebody else's table",
      run: ["init"],
      answers: [["/tables/customer_watermark", 200, { type: "VIEW" }]],
    },
    {
      name: "a column of another type",
      run: ["init"],
      answers: [
        [
          "/tables/customer_updates",
          200,
          { type: "TABLE", schema: { fields: [{ name: "email", type: "INTEGER" }] } },
        ],
      ],
    },
    {
      name: "an endpoint that is not there",
      run: ["status"],
      env: { BIGQUERY_EMULATOR_HOST: "http://127.0.0.1:9" },
    },
    {
      name: "an endpoint that is none",
      run: ["status"],
      answers: [["/datasets?", 200, {}]],
      env: { ANSWER_WITH_HTML: "1" },
    },
  ],
};
