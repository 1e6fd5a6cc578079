import { createRequire } from "node:module";
import path from "node:path";
import { googleSqlFolder } from "./process.ts";
import type { RpcMethod } from "./rpc.ts";
import { rememberType } from "./tree.ts";

/** How deep trees may nest; one operator takes several levels. What is deeper is refused, the stack does not overflow. */
const MAX_NESTING = 5000;
const SERVICE = "zetasql.local_service.ZetaSqlLocalService";
const TYPE = "zetasql.TypeProto";
const AS_OBJECT = { longs: String, enums: String, oneofs: true };

interface Reader {
  readonly buf: Uint8Array;
  pos: number;
}

interface MessageType {
  setup(): MessageType;
  decode(reader: Reader | Uint8Array, length?: number, end?: number, depth?: number): object;
  toObject(message: object, options?: object, depth?: number): object;
  encode(message: object): { finish(): Uint8Array };
  fromObject(object: object): object;
}

interface Root {
  resolvePath: (origin: string, target: string) => string | null;
  loadSync(file: string): Root;
  resolveAll(): Root;
  lookupType(name: string): MessageType;
  lookupService(name: string): {
    readonly methodsArray: readonly {
      readonly name: string;
      readonly resolvedRequestType: MessageType;
      readonly resolvedResponseType: MessageType;
    }[];
  };
}

interface Protobuf {
  readonly Root: new () => Root;
  readonly Reader: { recursionLimit: number };
  readonly util: { recursionLimit: number };
}

let methods: ReadonlyMap<string, RpcMethod> | undefined;

/**
 * The methods of GoogleSQL's local service by name, as the files beside its server define them. To read these takes longer than anything
 * else at a start, so a process does it once.
 */
export function serviceMethods(): ReadonlyMap<string, RpcMethod> {
  methods ??= defineService();
  return methods;
}

function defineService(): ReadonlyMap<string, RpcMethod> {
  const require = createRequire(import.meta.url);
  // It knows the files of Google's that are not beside the server.
  require("@grpc/proto-loader");
  const protobuf = createRequire(require.resolve("@grpc/proto-loader"))("protobufjs") as Protobuf;
  // The limit on nesting is meant for messages of strangers.
  protobuf.Reader.recursionLimit = MAX_NESTING;
  protobuf.util.recursionLimit = MAX_NESTING;
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => path.join(googleSqlFolder(), "protos", target);
  root.loadSync("local_service.proto").resolveAll();
  const types = new SharedTypes(root.lookupType(TYPE));
  const defined = root.lookupService(SERVICE).methodsArray.map((method): [string, RpcMethod] => {
    const { name, resolvedRequestType: request, resolvedResponseType: response } = method;
    return [
      name.charAt(0).toLowerCase() + name.slice(1),
      {
        path: `/${SERVICE}/${name}`,
        write: requestWriter(request),
        read: (bytes) => types.within(() => response.toObject(response.decode(bytes), AS_OBJECT)),
      },
    ];
  });
  return new Map(defined);
}

/** Writes requests; options, which are most of a small one and the same for many, are written once. */
function requestWriter(type: MessageType): (request: object) => Buffer {
  const written = new WeakMap<object, Uint8Array>();
  const write = (message: object): Uint8Array => type.encode(type.fromObject(message)).finish();
  return (request) => {
    const { options, ...rest } = request as { options?: object };
    if (options === undefined) return Buffer.from(write(rest));
    const bytes = written.get(options) ?? write({ options });
    written.set(options, bytes);
    // Messages one after another are one message with the fields of both.
    return Buffer.concat([bytes, write(rest)]);
  };
}

/**
 * Reads each type of an answer once. A resolved tree says the type of every column wherever it is mentioned, and over a STRUCT of hundreds
 * of fields that is nearly all there is in it: read one by one they take seconds, shared they take no time.
 */
class SharedTypes {
  /** By their bytes. */
  readonly #decoded = new Map<string, object>();
  readonly #objects = new Map<object, object>();

  constructor(type: MessageType) {
    // The code that reads and converts is made by `setup`; messages that hold types call what stands here.
    const { decode, toObject } = type.setup();
    type.decode = (reader, length, end, depth) => {
      if (length === undefined || reader instanceof Uint8Array) {
        return decode.call(type, reader, length, end, depth);
      }
      const bytes = Buffer.from(reader.buf.buffer, reader.buf.byteOffset + reader.pos, length);
      const key = bytes.toString("latin1");
      const known = this.#decoded.get(key);
      if (known !== undefined) {
        reader.pos += length;
        return known;
      }
      const message = decode.call(type, reader, length, end, depth);
      this.#decoded.set(key, message);
      return message;
    };
    type.toObject = (message, options, depth) => {
      const known = this.#objects.get(message);
      if (known !== undefined) return known;
      const object = toObject.call(type, message, options, depth);
      rememberType(object);
      this.#objects.set(message, object);
      return object;
    };
  }

  /** Types are shared within one answer. */
  within<T>(read: () => T): T {
    try {
      return read();
    } finally {
      this.#decoded.clear();
      this.#objects.clear();
    }
  }
}
