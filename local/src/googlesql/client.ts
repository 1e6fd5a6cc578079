import { BigQueryError } from "../errors.ts";
import { type ServerProcess, startServerProcess } from "./process.ts";
import { ConnectionLostError, INTERNAL, NoAnswerError, RpcConnection, RpcStatusError } from "./rpc.ts";
import { serviceMethods } from "./service.ts";

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

const START_TIMEOUT_MS = 20_000;
const START_ATTEMPTS = 3;
/** The longest that a call may take. Nothing that the analyzer can do takes as long; what it cannot do may take for ever. */
const CALL_LIMIT_MS = 60_000;

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
class ServerGoneError extends BigQueryError {
  constructor() {
    super("invalidQuery", "GoogleSQL's analyzer fails on this statement", "query");
  }
}

interface Connection {
  readonly rpc: RpcConnection;
  readonly process: ServerProcess;
  /** Counts the server's lives: what was registered with an earlier one is gone. */
  readonly generation: number;
}

/** What a client may be given. */
export interface ClientOptions {
  /** The longest that a call may take, in milliseconds. */
  readonly callLimitMs?: number;
}

/**
 * GoogleSQL's server and the connection to it: started on first use, started again when it dies or does not answer, stopped by
 * `close`.
 */
export class GoogleSqlClient {
  readonly #callLimitMs: number;
  #connection: Promise<Connection> | undefined;
  #generation = 0;
  #closed = false;
  /** The end of the latest work that is done again. */
  #again: Promise<unknown> = Promise.resolve();

  constructor({ callLimitMs = CALL_LIMIT_MS }: ClientOptions = {}) {
    this.#callLimitMs = callLimitMs;
  }

  /** The number of the server's present life; catalogs registered under another number no longer exist. */
  async generation(): Promise<number> {
    return (await this.#connect()).generation;
  }

  /** Where the server listens. */
  async address(): Promise<string> {
    return (await this.#connect()).process.address;
  }

  /** Calls the server; a call that meets a dying server is made again on its successor. */
  call(method: Method, request: Message): Promise<Message> {
    return this.retrying(() => this.callOnce(method, request));
  }

  /**
   * Does work that calls the server, and does it again where the server ended under it: perhaps because of it, perhaps because of
   * another call. So what is done again is done one after another, and what ends a server twice has failed.
   */
  async retrying<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ServerGoneError) || this.#closed) throw error;
    }
    const again = this.#again.then(work);
    this.#again = again.catch(() => undefined);
    return await again;
  }

  /** Calls the server once: for requests that name what was registered with it. */
  async callOnce(method: Method, request: Message): Promise<Message> {
    const connection = await this.#connect();
    const definition = serviceMethods().get(method);
    if (definition === undefined) throw new Error(`GoogleSQL's server has no method ${method}.`);
    try {
      return (await connection.rpc.call(definition, request, this.#callLimitMs)) as Message;
    } catch (error) {
      if (error instanceof RpcStatusError) {
        throw error.status === INTERNAL
          ? new GoogleSqlError(TOO_COMPLEX, error.message)
          : new GoogleSqlError(error.message);
      }
      // Other calls of this server are made again; the one that it does not answer is not.
      const isSilent = error instanceof NoAnswerError;
      if (!isSilent && !(error instanceof ConnectionLostError)) throw error;
      await this.#forget(connection);
      throw isSilent ? new GoogleSqlError(TOO_COMPLEX) : new ServerGoneError();
    }
  }

  /** Stops the server. */
  async close(): Promise<void> {
    this.#closed = true;
    const connection = await this.#connection?.catch(() => undefined);
    connection?.rpc.close();
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
    let failure: unknown;
    for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
      const server = await startServerProcess();
      // While the server starts.
      serviceMethods();
      try {
        const rpc = await Promise.race([
          RpcConnection.open(server.address, Date.now() + START_TIMEOUT_MS),
          server.ended.then(() => Promise.reject(new Error("ended at once"))),
        ]);
        const connection = { rpc, process: server, generation: ++this.#generation };
        void server.ended.then(() => this.#forget(connection));
        return connection;
      } catch (error) {
        failure = error;
        await server.stop();
      }
    }
    throw new Error(`GoogleSQL's server does not start: ${String(failure)}`);
  }

  async #forget(connection: Connection): Promise<void> {
    const current = await this.#connection?.catch(() => undefined);
    if (current === connection) this.#connection = undefined;
    connection.rpc.close();
    await connection.process.stop();
  }
}
