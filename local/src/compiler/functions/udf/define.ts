import {
  BIGINT,
  BIGNUM,
  BLOB,
  BOOLEAN,
  DECIMAL,
  DOUBLE,
  DuckDBBlobValue,
  DuckDBDecimalValue,
  DuckDBIntervalValue,
  DuckDBListValue,
  DuckDBScalarFunction,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
  INTERVAL,
  LIST,
  VARCHAR,
} from "@duckdb/node-api";
import { unsupported } from "../../../errors.ts";
import { HELD_UP, HeldUp, startWatch } from "../../../hold-up.ts";
import { markMessage } from "../../../raise.ts";
import type { IntervalValue } from "../../../values.ts";

/** How a JavaScript function's argument or result is held in DuckDB. */
export interface Codec<T> {
  readonly type: DuckDBType;
  read(value: DuckDBValue): T;
  write(value: T): DuckDBValue;
}

function same<T extends DuckDBValue>(type: DuckDBType): Codec<T> {
  return { type, read: (value) => value as T, write: (value) => value };
}

/** STRING. */
export const text: Codec<string> = same(VARCHAR);
/** INT64, and whatever is passed as one. */
export const int: Codec<bigint> = same(BIGINT);
/** FLOAT64. */
export const float: Codec<number> = same(DOUBLE);
/** BOOL. */
export const bool: Codec<boolean> = same(BOOLEAN);
/** BYTES. */
export const bytes: Codec<Buffer> = {
  type: BLOB,
  read: (value) => Buffer.from((value as DuckDBBlobValue).bytes),
  write: (value) => new DuckDBBlobValue(value),
};
/** NUMERIC as value * 10^9. */
export const numeric: Codec<bigint> = {
  type: DECIMAL(38, 9),
  read: (value) => (value as DuckDBDecimalValue).value,
  write: (value) => new DuckDBDecimalValue(value, 38, 9),
};
/** BIGNUMERIC as value * 10^38. */
export const bigNumeric: Codec<bigint> = {
  type: BIGNUM,
  // The client gives small ones as numbers.
  read: (value) => BigInt(value as number | bigint),
  write: (value) => value,
};
/** INTERVAL. */
export const interval: Codec<IntervalValue> = {
  type: INTERVAL,
  read: (value) => {
    const { months, days, micros } = value as DuckDBIntervalValue;
    return { months, days, micros };
  },
  write: ({ months, days, micros }) => new DuckDBIntervalValue(months, days, micros),
};

/** An ARRAY; its elements may be NULL. */
export function list<T>(element: Codec<T>): Codec<readonly (T | null)[]> {
  return {
    type: LIST(element.type),
    read: (value) =>
      (value as DuckDBListValue).items.map((item) => (item === null ? null : element.read(item))),
    write: (items) => new DuckDBListValue(items.map((item) => (item === null ? null : element.write(item)))),
  };
}

type Values<P extends readonly Codec<unknown>[]> = {
  [I in keyof P]: P[I] extends Codec<infer T> ? T : never;
};

/** A scalar function of ours that DuckDB calls back. */
export interface Udf {
  readonly name: string;
  /** It and its twin `bq_safe_<name>`, which gives NULL for an error. */
  readonly forms: readonly UdfForm[];
}

/** A function by its name in DuckDB. */
export interface UdfForm {
  readonly name: string;
  readonly parameters: readonly Codec<unknown>[];
  readonly result: Codec<unknown>;
  /** Calls it with one row's arguments, as the codecs read them. */
  call(values: readonly unknown[]): unknown;
  /** A new registration of it. */
  create(): DuckDBScalarFunction;
}

/** The DuckDB name of a function of ours, or of its twin that gives NULL for an error. */
export function ownName(name: string, quiet: boolean): string {
  return `bq_${quiet ? "safe_" : ""}${name}`;
}

/** Whether a function of ours may throw a Refusal, or gives something else at every call. */
export function mayRefuse(name: string): boolean {
  return name.startsWith("partial_") || name.startsWith("volatile_");
}

/**
 * Defines the DuckDB function `bq_<name>`. It is a function of its arguments alone; NULL in gives NULL out, and what it
 * throws becomes the query's error.
 */
export function udf<const P extends readonly Codec<unknown>[], R>(
  name: string,
  parameters: P,
  result: Codec<R>,
  evaluate: (...args: Values<P>) => R | null,
): Udf {
  return define(name, parameters, result, evaluate);
}

/** Defines the DuckDB function `bq_partial_<name>`, which may throw a Refusal; else as `udf` does. */
export function partialUdf<const P extends readonly Codec<unknown>[], R>(
  name: string,
  parameters: P,
  result: Codec<R>,
  evaluate: (...args: Values<P>) => R | null,
): Udf {
  return define(`partial_${name}`, parameters, result, evaluate);
}

/** Defines the DuckDB function `bq_volatile_<name>`, which gives something else at every call; it may throw a Refusal. */
export function volatileUdf<const P extends readonly Codec<unknown>[], R>(
  name: string,
  parameters: P,
  result: Codec<R>,
  evaluate: (...args: Values<P>) => R | null,
): Udf {
  return define(`volatile_${name}`, parameters, result, evaluate, true);
}

function define<const P extends readonly Codec<unknown>[], R>(
  name: string,
  parameters: P,
  result: Codec<R>,
  evaluate: (...args: Values<P>) => R | null,
  volatile = false,
): Udf {
  const codecs: readonly Codec<unknown>[] = parameters;
  const quiet = (...args: Values<P>): R | null => {
    try {
      return evaluate(...args);
    } catch (error) {
      if (error instanceof EvaluationError) return null;
      throw error;
    }
  };
  const form = (isQuiet: boolean, compute: typeof evaluate): UdfForm => {
    const made: UdfForm = {
      name: ownName(name, isQuiet),
      parameters: codecs,
      result: result as Codec<unknown>,
      call: (values) => (values.includes(null) ? null : compute(...(values as unknown as Values<P>))),
      create: () => scalarFunction(made, volatile),
    };
    return made;
  };
  return { name: ownName(name, false), forms: [form(false, evaluate), form(true, quiet)] };
}

/**
 * Whether a function is called late where it holds up the event loop. Of numbers alone nothing computes for long; an ARRAY costs more to
 * be handed over, element by element, than most functions do with it; and quiet forms stand in TRY, which would make NULL of a call
 * that has taken too long.
 */
export function canBeLate({ name, parameters, result }: UdfForm): boolean {
  if (name.startsWith(ownName("", true))) return false;
  const types = parameters.map(({ type }) => type.typeId);
  if ([...types, result.type.typeId].includes(DuckDBTypeId.LIST)) return false;
  return types.includes(DuckDBTypeId.VARCHAR) || types.includes(DuckDBTypeId.BLOB);
}

function scalarFunction(form: UdfForm, volatile: boolean): DuckDBScalarFunction {
  const { name, parameters, result } = form;
  return DuckDBScalarFunction.create({
    name,
    parameterTypes: parameters.map((codec) => codec.type),
    returnType: result.type,
    specialHandling: true,
    volatile,
    mainFunction: (info, input, output) => {
      const columns = parameters.map((_, index) => input.getColumnVector(index));
      const watch = canBeLate(form) ? startWatch() : undefined;
      try {
        for (let row = 0; row < input.rowCount; row++) {
          const values = columns.map((column, index) => readValue(parameters[index], column.getItem(row)));
          watch?.(values);
          const found = form.call(values);
          output.setItem(row, found === null ? null : result.write(found));
        }
        output.flush();
      } catch (error) {
        info.setError(errorText(error));
      }
    },
  });
}

/** An argument as its codec reads it. */
export function readValue(codec: Codec<unknown> | undefined, value: DuckDBValue): unknown {
  return value === null ? null : codec?.read(value);
}

/** What DuckDB is told of an error that a function of ours threw. */
export function errorText(error: unknown): string {
  if (error instanceof EvaluationError || error instanceof Refusal) return markMessage(error.message);
  if (error instanceof HeldUp) return HELD_UP;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** What a function of ours throws where BigQuery has a result that is not known here: it is no error that SAFE makes NULL. */
export class Refusal {
  readonly message: string;

  constructor(what: string) {
    this.message = unsupported(what).message;
  }
}

/**
 * What a function of ours throws for a GoogleSQL runtime error; the message is the user's. It is no Error: a stack that
 * nobody reads would cost several times what the functions do, and SAFE_CAST may meet one in every row.
 */
export class EvaluationError {
  constructor(readonly message: string) {}
}
