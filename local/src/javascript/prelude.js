/*
 * Runs inside the sandbox, before the user's code: an expression that gives the function by which the host hands rows in and takes
 * results out, both as JSON. What it uses of the language it takes now, because the user's code may replace it later.
 * https://cloud.google.com/bigquery/docs/user-defined-functions#supported-javascript-udf-data-types
 */
(() => {
  const { parse, stringify } = JSON;
  const { apply } = Reflect;
  const { isArray } = Array;
  const { is, create, defineProperty } = Object;
  const { isFinite: isFiniteNumber, isInteger } = Number;
  const { getTime } = Date.prototype;
  const { then } = Promise.prototype;
  const toText = String;
  const toNumber = Number;
  const DateClass = Date;
  const ErrorClass = Error;
  const PromiseClass = Promise;
  const ObjectClass = Object;

  // Assigning by index would run setters that the user's code may have put on prototypes.
  const put = (object, key, value) =>
    defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });

  const map = (items, convert) => {
    const mapped = [];
    for (let index = 0; index < items.length; index++) put(mapped, index, convert(items[index]));
    return mapped;
  };

  const orNull = (convert) => (value) => (value === null || value === undefined ? null : convert(value));

  const toTimestamp = ([milliseconds, microsecond]) =>
    put(new DateClass(milliseconds), "microsecond", microsecond);

  /** What the user's function gets for a value of this type. */
  const decoder = (type) => {
    if (type.kind === "ARRAY") {
      const decode = decoder(type.element);
      return orNull((items) => map(items, decode));
    }
    if (type.kind === "STRUCT") {
      const fields = map(type.fields, (field) => ({ name: field.name, decode: decoder(field.type) }));
      return orNull((values) => {
        const object = {};
        for (let index = 0; index < fields.length; index++) {
          put(object, fields[index].name, fields[index].decode(values[index]));
        }
        return object;
      });
    }
    if (type.kind === "FLOAT64") return orNull(toNumber);
    if (type.kind === "DATE") return orNull((milliseconds) => new DateClass(milliseconds));
    if (type.kind === "TIMESTAMP") return orNull(toTimestamp);
    if (type.kind === "JSON") return orNull(parse);
    return (value) => value;
  };

  /** A scalar as the host reads it: JSON's own where JSON has it, else an object that tells what it is. */
  const plain = (value) => {
    if (typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number") {
      return isFiniteNumber(value) && !is(value, -0)
        ? value
        : { number: is(value, -0) ? "-0" : toText(value) };
    }
    if (typeof value === "bigint") return { bigint: toText(value) };
    if (value instanceof DateClass) {
      const { microsecond } = value;
      const rest = isInteger(microsecond) && microsecond >= 0 && microsecond < 1000 ? microsecond : 0;
      return { date: apply(getTime, value, []), microsecond: rest };
    }
    return { other: typeof value === "symbol" ? "Symbol" : toText(value) };
  };

  /** What the host gets of a result that is to be of this type. */
  const encoder = (type) => {
    if (type.kind === "ARRAY") {
      const encode = encoder(type.element);
      return orNull((value) => (isArray(value) ? map(value, encode) : plain(value)));
    }
    if (type.kind === "STRUCT") {
      const fields = map(type.fields, (field) => ({ name: field.name, encode: encoder(field.type) }));
      return orNull((value) => {
        if (typeof value !== "object" || isArray(value)) return plain(value);
        return map(fields, (field) => field.encode(value[field.name]));
      });
    }
    if (type.kind === "STRING")
      return orNull((value) => (typeof value === "symbol" ? plain(value) : toText(value)));
    if (type.kind === "JSON") return orNull((value) => stringify(value) ?? plain(value));
    return orNull(plain);
  };

  const describe = (thrown) => {
    const failure = create(null);
    try {
      const isError = thrown instanceof ErrorClass;
      failure.message = isError ? `${toText(thrown.name)}: ${toText(thrown.message)}` : toText(thrown);
      if (isError) failure.stack = toText(thrown.stack);
    } catch {
      failure.message = "Error";
    }
    return failure;
  };

  return (body, argumentTypesText, resultTypeText) => {
    const decoders = map(parse(argumentTypesText), decoder);
    const encode = encoder(parse(resultTypeText));
    let results = [];
    let waiting = 0;
    let failure;

    const fail = (thrown) => {
      failure ??= describe(thrown);
    };

    const settle = (row, value) => {
      try {
        put(results, row, encode(value));
      } catch (thrown) {
        fail(thrown);
      }
    };

    const callRow = (columns, row) => {
      try {
        const args = [];
        for (let index = 0; index < decoders.length; index++)
          put(args, index, decoders[index](columns[index][row]));
        const value = apply(body, undefined, args);
        if (!(value instanceof PromiseClass)) return settle(row, value);
        waiting++;
        apply(then, value, [
          (settled) => {
            waiting--;
            settle(row, settled);
          },
          (reason) => {
            waiting--;
            fail(reason);
          },
        ]);
      } catch (thrown) {
        fail(thrown);
      }
    };

    const start = (rowsText) => {
      const { rows, columns } = parse(rowsText);
      results = [];
      waiting = 0;
      failure = undefined;
      for (let row = 0; row < rows && failure === undefined; row++) callRow(columns, row);
    };

    const finish = () => stringify(failure === undefined ? { waiting, results } : { failure });

    return put(put(new ObjectClass(), "start", start), "finish", finish);
  };
})();
