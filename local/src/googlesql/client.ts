import grpc from "@grpc/grpc-js";
import { BigQueryError } from "../errors.ts";
import { type ServerProcess, startServerProcess } from "./process.ts";
import { defineService } from "./service.ts";

/** A protobuf message as the loader gives and takes it. */
export type Message = Record<string, unknown>;

/** The calls of GoogleSQL's local service that this endpoint makes. */
export type Method =
  | "analyze"
  | "parse"
  | "registerCatalog"
  | "unregisterCatalog"
  | "getLanguageOptions"
  | "getBuiltinFunctions"
  | "evaluateQuery"
  | "formatSql";

type Call = (
  request: Message,
  callback: (error: grpc.ServiceError | null, answer: Message) => void,
) => grpc.ClientUnaryCall;
type Service = Record<Method, Call> & { close(): void; waitForReady: grpc.Client["waitForReady"] };
type ServiceConstructor = new (
  address: string,
  credentials: grpc.ChannelCredentials,
  options: grpc.ClientOptions,
) => Service;

const START_TIMEOUT_MS = 20_000;
const START_ATTEMPTS = 3;
/** How often a call is made while servers end under it: perhaps because of it, perhaps because of another one. */
export const CALL_ATTEMPTS = 3;

/** A statement that the server refuses, as opposed to a server that is gone. */
export class GoogleSqlError extends Error {
  /** What the server said, where the message has other words for it. */
  readonly detail: string;

  constructor(message: string, detail = message) {
    super(message);
    this.detail = detail;
  }
}

/** What else goes wrong in reading an answer, or inside the server. */
export const TOO_COMPLEX =
  "Resources exceeded during query execution: Not enough resources for query planning - too many subqueries or query is too complex.";

/** The server ended before it answered; BigQuery's name for what a statement cannot be helped with. */
export class ServerGoneError extends BigQueryError {
  constructor() {
    super("invalidQuery", "GoogleSQL's analyzer fails on this statement", "query");
  }
}

interface Connection {
  readonly service: Service;
  readonly process: ServerProcess;
  /** Counts the server's lives: what was registered with an earlier one is gone. */
  readonly generation: number;
}

/** GoogleSQL's server and the connection to it: started on first use, started again when it dies, stopped by `close`. */
export class GoogleSqlClient {
  #connection: Promise<Connection> | undefined;
  #generation = 0;
  #closed = false;
  #serviceClass: ServiceConstructor | undefined;

  /** The number of the server's present life; catalogs registered under another number no longer exist. */
  async generation(): Promise<number> {
    return (await this.#connect()).generation;
  }

  /** Where the server listens. */
  async address(): Promise<string> {
    return (await this.#connect()).process.address;
  }

  /** Calls the server; a call that meets a dying server is made again on its successor. */
  async call(method: Method, request: Message): Promise<Message> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.callOnce(method, request);
      } catch (error) {
        if (!(error instanceof ServerGoneError) || this.#closed || attempt >= CALL_ATTEMPTS) throw error;
      }
    }
  }

  /** Calls the server once: for requests that name what was registered with it. */
  async callOnce(method: Method, request: Message): Promise<Message> {
    const connection = await this.#connect();
    try {
      return await callOnce(connection, method, request);
    } catch (error) {
      if (error instanceof ServerGoneError) await this.#forget(connection);
      throw error;
    }
  }

  /** Stops the server. */
  async close(): Promise<void> {
    this.#closed = true;
    const connection = await this.#connection?.catch(() => undefined);
    connection?.service.close();
    await connection?.process.stop();
  }

  #connect(): Promise<Connection> {
    if (this.#closed) return Promise.reject(new Error("GoogleSQL's client is closed."));
    this.#connection ??= this.#start().catch((error: unknown) => {
      this.#connection = undefined;
      throw error;
    });
    return this.#connection;
  }

  async #start(): Promise<Connection> {
    this.#serviceClass ??= grpc.makeGenericClientConstructor(
      defineService(),
      "ZetaSqlLocalService",
    ) as unknown as ServiceConstructor;
    let failure: unknown;
    for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
      const server = await startServerProcess();
      const service = new this.#serviceClass(server.address, grpc.credentials.createInsecure(), {
        "grpc.max_receive_message_length": -1,
        "grpc.max_send_message_length": -1,
        "grpc.enable_http_proxy": 0,
        // A tree may be a hundred megabytes: by the 64 KB of the default it takes seconds.
        "grpc-node.flow_control_window": 16 * 1024 * 1024,
        "grpc.initial_reconnect_backoff_ms": 30,
        "grpc.min_reconnect_backoff_ms": 30,
        "grpc.max_reconnect_backoff_ms": 200,
      });
      try {
        await Promise.race([
          ready(service),
          server.ended.then(() => Promise.reject(new Error("ended at once"))),
        ]);
      } catch (error) {
        failure = error;
        service.close();
        await server.stop();
        continue;
      }
      const connection = { service, process: server, generation: ++this.#generation };
      void server.ended.then(() => this.#forget(connection));
      return connection;
    }
    throw new Error(`GoogleSQL's server does not start: ${String(failure)}`);
  }

  async #forget(connection: Connection): Promise<void> {
    const current = await this.#connection?.catch(() => undefined);
    if (current === connection) this.#connection = undefined;
    connection.service.close();
    await connection.process.stop();
  }
}

function ready(service: Service): Promise<void> {
  return new Promise((resolve, reject) => {
    service.waitForReady(Date.now() + START_TIMEOUT_MS, (error) => (error ? reject(error) : resolve()));
  });
}

function callOnce(connection: Connection, method: Method, request: Message): Promise<Message> {
  return new Promise((resolve, reject) => {
    connection.service[method](request, (error, answer) => {
      if (!error) resolve(answer);
      else if (error.code === grpc.status.UNAVAILABLE || error.code === grpc.status.CANCELLED) {
        reject(new ServerGoneError());
      } else if (error.code === grpc.status.INTERNAL) reject(new GoogleSqlError(TOO_COMPLEX, error.details));
      else reject(new GoogleSqlError(error.details));
    });
  });
}
