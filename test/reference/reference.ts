/** GoogleSQL's reference implementation as a judge of queries: rows of the oracle in, rows of the oracle out. */
import { GoogleSqlClient, type Message } from "../../local/src/googlesql/client.ts";
import { bigQueryLanguage } from "../../local/src/googlesql/language.ts";
import { toTypeProto } from "../../local/src/googlesql/types.ts";
import { elementOf, type Field, type Interval, type Row, type Value } from "../exactness/values.ts";
import { sqlTypeOf } from "./script-analysis.ts";

/** A table with its rows. */
export interface ReferenceTable {
  /** As the query writes it between backticks. */
  readonly name: string;
  readonly fields: readonly Field[];
  readonly rows: readonly Row[];
}

/** Runs queries on GoogleSQL's reference implementation. */
export class Reference {
  readonly #client = new GoogleSqlClient();
  #language: Promise<Message> | undefined;

  /** The rows of a query whose columns are `output`. */
  async evaluate(sql: string, tables: readonly ReferenceTable[], output: readonly Field[]): Promise<Row[]> {
    this.#language ??= this.#client
      .call("getLanguageOptions", { maximumFeatures: true })
      .then(bigQueryLanguage);
    const languageOptions = await this.#language;
    const tableContent = Object.fromEntries(
      tables.map(({ name, fields, rows }) => {
        const row = rows.map((values) => ({
          cell: fields.map((field) => encode(field, values[field.name] ?? null)),
        }));
        return [name, { tableData: { row } }];
      }),
    );
    const simpleCatalog = {
      name: "reference",
      builtinFunctionOptions: { languageOptions },
      table: tables.map(({ name, fields }) => ({
        name,
        column: fields.map((field) => ({ name: field.name, type: toTypeProto(sqlTypeOf(field)) })),
      })),
    };
    const options = { languageOptions, defaultTimezone: "UTC" };
    // GoogleSQL of this age knows BY NAME only as CORRESPONDING, which is the same where all columns are kept.
    const query = sql.replaceAll("FULL OUTER UNION ALL BY NAME", "FULL OUTER UNION ALL CORRESPONDING");
    const request = { sql: query, options, simpleCatalog, tableContent };
    const answer = await this.#client.call("evaluateQuery", request);
    const content = answer.content as
      | { tableData?: { row?: readonly { cell?: readonly Message[] }[] } }
      | undefined;
    return (content?.tableData?.row ?? []).map(({ cell = [] }) =>
      Object.fromEntries(output.map((field, index) => [field.name, decode(field, cell[index] ?? {})])),
    );
  }

  /** Stops the server. */
  async close(): Promise<void> {
    await this.#client.close();
  }
}

function encode(field: Field, value: Value): Message {
  if (field.mode === "REPEATED") {
    const element = ((value ?? []) as readonly Value[]).map((item) => encode(elementOf(field), item));
    return { arrayValue: { element } };
  }
  if (value === null || value === undefined) return {};
  switch (field.type) {
    case "RECORD":
      return {
        structValue: {
          field: (field.fields ?? []).map((member) => encode(member, (value as Row)[member.name] ?? null)),
        },
      };
    case "INT64":
      return { int64Value: `${value}` };
    case "FLOAT64":
      return { doubleValue: value };
    case "BOOL":
      return { boolValue: value };
    case "STRING":
      return { stringValue: value };
    case "JSON":
      return { jsonValue: value };
    case "BYTES":
      return { bytesValue: Buffer.from(value as string, "hex") };
    case "DATE":
      return { dateValue: Date.parse(`${value}T00:00:00Z`) / 86_400_000 };
    case "DATETIME": {
      const [date = "", time = ""] = (value as string).split("T");
      const [year = 0n, month = 0n, day = 0n] = date.split("-").map(BigInt);
      const { seconds, nanos } = clockBits(time);
      const bits = (((((year << 4n) | month) << 5n) | day) << 17n) | seconds;
      return { datetimeValue: { bitFieldDatetimeSeconds: `${bits}`, nanos } };
    }
    case "TIME": {
      const { seconds, nanos } = clockBits(value as string);
      return { timeValue: `${(seconds << 30n) | BigInt(nanos)}` };
    }
    case "TIMESTAMP": {
      const micros = value as bigint;
      const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
      return {
        timestampValue: { seconds: `${(micros - fraction) / 1_000_000n}`, nanos: Number(fraction) * 1000 },
      };
    }
    case "NUMERIC":
      return { numericValue: signedBytes(value as bigint) };
    case "BIGNUMERIC":
      return { bignumericValue: signedBytes(value as bigint) };
    case "INTERVAL":
      return { intervalValue: intervalBytes(value as Interval) };
    default:
      throw new Error(`the reference implementation has no ${field.type}`);
  }
}

/** Hour, minute and second in 5, 6 and 6 bits. */
function clockBits(text: string): { seconds: bigint; nanos: number } {
  const [clock = "", fraction = "0"] = text.split(".");
  const [hour = 0n, minute = 0n, second = 0n] = clock.split(":").map(BigInt);
  return { seconds: (((hour << 6n) | minute) << 6n) | second, nanos: Number(fraction.padEnd(9, "0")) };
}

/** Two's complement, lowest byte first, no more bytes than needed. */
function signedBytes(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const byte = Number(rest & 0xffn);
    bytes.push(byte);
    rest >>= 8n;
    if ((rest === 0n && byte < 128) || (rest === -1n && byte >= 128)) return Buffer.from(bytes);
  }
}

function fromSignedBytes(bytes: Buffer): bigint {
  let value = 0n;
  for (const byte of [...bytes].reverse()) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}

/** Microseconds, days, and months above 13 bits of nanoseconds with the sign in the highest bit. */
function intervalBytes({ months, days, micros }: Interval): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigInt64LE(micros, 0);
  bytes.writeInt32LE(Number(days), 8);
  const magnitude = Number(months < 0n ? -months : months) << 13;
  bytes.writeUInt32LE((months < 0n ? magnitude | 0x80000000 : magnitude) >>> 0, 12);
  return bytes;
}

function decode(field: Field, cell: Message): Value {
  if (field.mode === "REPEATED") {
    const array = cell.arrayValue as { element?: readonly Message[] } | undefined;
    return (array?.element ?? []).map((item) => decode(elementOf(field), item));
  }
  const kind = cell.value as string | undefined;
  if (kind === undefined) return null;
  const value = cell[kind];
  switch (field.type) {
    case "RECORD": {
      const cells = (value as { field?: readonly Message[] }).field ?? [];
      const members = (field.fields ?? []).map(
        (member, index) => [member.name, decode(member, cells[index] ?? {})] as const,
      );
      return Object.fromEntries(members);
    }
    case "INT64":
      return BigInt(value as string);
    case "BYTES":
      return Buffer.from(value as Buffer).toString("hex");
    case "DATE":
      return new Date(Number(value) * 86_400_000).toISOString().slice(0, 10);
    case "DATETIME": {
      const { bitFieldDatetimeSeconds, nanos = 0 } = value as {
        bitFieldDatetimeSeconds: string;
        nanos?: number;
      };
      const bits = BigInt(bitFieldDatetimeSeconds);
      const date = [pad(bits >> 26n, 4), pad((bits >> 22n) & 15n, 2), pad((bits >> 17n) & 31n, 2)].join("-");
      return `${date}T${clockText(bits & 0x1ffffn, nanos)}`;
    }
    case "TIME": {
      const bits = BigInt(value as string);
      return clockText(bits >> 30n, Number(bits & 0x3fffffffn));
    }
    case "TIMESTAMP": {
      const { seconds = "0", nanos = 0 } = value as { seconds?: string; nanos?: number };
      return BigInt(seconds) * 1_000_000n + BigInt(nanos / 1000);
    }
    case "NUMERIC":
    case "BIGNUMERIC":
      return fromSignedBytes(value as Buffer);
    case "INTERVAL": {
      const bytes = value as Buffer;
      const packed = bytes.readUInt32LE(12);
      const months = BigInt((packed & 0x7fffe000) >>> 13);
      return {
        months: packed >= 0x80000000 ? -months : months,
        days: BigInt(bytes.readInt32LE(8)),
        micros: bytes.readBigInt64LE(0),
      };
    }
    default:
      return value as Value;
  }
}

function pad(value: bigint, width: number): string {
  return value.toString().padStart(width, "0");
}

function clockText(seconds: bigint, nanos: number): string {
  const clock = [pad(seconds >> 12n, 2), pad((seconds >> 6n) & 63n, 2), pad(seconds & 63n, 2)].join(":");
  return `${clock}.${pad(BigInt(nanos / 1000), 6)}`;
}
