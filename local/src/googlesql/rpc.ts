import http2 from "node:http2";
import { connect as connectSocket } from "node:net";
import { shortenHeaders } from "./long-headers.ts";

/** One method of a gRPC service: its path, and how its messages are written and read. */
export interface RpcMethod {
  readonly path: string;
  write(request: object): Buffer;
  read(answer: Buffer): object;
}

/** The server answered with an error: its status and its message. */
export class RpcStatusError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The connection ended before the answer was there. */
export class ConnectionLostError extends Error {}

/** The server has not answered in its time. */
export class NoAnswerError extends Error {}

/** Internal error of gRPC. */
export const INTERNAL = 13;
/** The statuses by which a server says that it is on its way out: cancelled, unavailable. */
const GOING = [1, 14];

/** A tree may be a hundred megabytes: by the 64 KB of the default it takes seconds. */
const WINDOW = 16 * 1024 * 1024;
const HEADER_BYTES = 5;

/**
 * A connection to a gRPC server on this machine, for calls of one request and one answer. The usual client gives no way to its
 * socket, and so breaks at error messages of 64 KB, without a word to whoever waits for an answer.
 */
export class RpcConnection {
  readonly #session: http2.ClientHttp2Session;
  #calls = 0;

  private constructor(session: http2.ClientHttp2Session) {
    this.#session = session;
  }

  /** Connects to a server, which may need until `deadline` (milliseconds since 1970) to listen. */
  static async open(address: string, deadline: number): Promise<RpcConnection> {
    for (;;) {
      try {
        return new RpcConnection(await connect(address));
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** Calls a method and gives its answer, within `limitMs`. */
  call(method: RpcMethod, request: object, limitMs: number): Promise<object> {
    const message = method.write(request);
    return new Promise((resolve, reject) => {
      if (this.#session.closed || this.#session.destroyed) return reject(new ConnectionLostError());
      const stream = this.#session.request({
        ":method": "POST",
        ":path": method.path,
        "content-type": "application/grpc+proto",
        te: "trailers",
      });
      this.#begin();
      const chunks: Buffer[] = [];
      let status: http2.IncomingHttpHeaders = {};
      const timer = setTimeout(() => {
        end(() => reject(new NoAnswerError()));
        stream.close(http2.constants.NGHTTP2_CANCEL);
      }, limitMs);
      let isOver = false;
      const end = (settle: () => void): void => {
        if (isOver) return;
        isOver = true;
        clearTimeout(timer);
        this.#end();
        settle();
      };
      stream.on("response", (headers) => {
        status = { ...status, ...headers };
      });
      stream.on("trailers", (headers) => {
        status = { ...status, ...headers };
      });
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", () => end(() => reject(new ConnectionLostError())));
      stream.on("close", () =>
        end(() => {
          try {
            const message = messageOf(status, chunks);
            resolve(readMessage(method, message));
          } catch (error) {
            reject(error);
          }
        }),
      );
      const prefix = Buffer.alloc(HEADER_BYTES);
      prefix.writeUInt32BE(message.length, 1);
      stream.end(Buffer.concat([prefix, message]));
    });
  }

  /** Ends the connection, and with it the calls that wait. */
  close(): void {
    this.#session.destroy();
  }

  /** Whoever waits for an answer is kept alive until it comes; an idle connection keeps nobody alive. */
  #begin(): void {
    if (this.#calls++ === 0) this.#session.ref();
  }

  #end(): void {
    if (--this.#calls === 0 && !this.#session.destroyed) this.#session.unref();
  }
}

const RETRY_MS = 10;

function connect(address: string): Promise<http2.ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const [host, port] = address.split(":");
    const session = http2.connect(`http://${address}`, {
      // A call is several small frames: without this each waits for the other side's delayed acknowledgement, 40 ms.
      createConnection: () => shortenHeaders(connectSocket({ port: Number(port), host, noDelay: true })),
      settings: { initialWindowSize: WINDOW, enablePush: false },
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
    });
    session.once("error", reject);
    session.once("remoteSettings", () => {
      session.off("error", reject);
      // Calls learn of it by their streams.
      session.on("error", () => undefined);
      session.setLocalWindowSize(WINDOW);
      session.unref();
      resolve(session);
    });
  });
}

/** The answer's message, or the error that the server gave instead. */
function messageOf(status: http2.IncomingHttpHeaders, chunks: readonly Buffer[]): Buffer {
  const code = Number(status["grpc-status"] ?? Number.NaN);
  if (Number.isNaN(code) || GOING.includes(code)) throw new ConnectionLostError();
  if (code !== 0) throw new RpcStatusError(code, unescaped(String(status["grpc-message"] ?? "")));
  return Buffer.concat(chunks).subarray(HEADER_BYTES);
}

/** An answer that nests too deeply to be read is no answer. */
function readMessage(method: RpcMethod, message: Buffer): object {
  try {
    return method.read(message);
  } catch (error) {
    throw new RpcStatusError(INTERNAL, String((error as Error).message));
  }
}

/** A message's bytes outside of printable ASCII come percent-encoded. */
function unescaped(text: string): string {
  const bytes = text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}
