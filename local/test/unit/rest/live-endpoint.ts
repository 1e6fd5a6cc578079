import { type Server, type ServerOptions, startServer } from "../../../src/server.ts";
import type { Answer } from "./test-endpoint.ts";

/** A whole endpoint, GoogleSQL included, asked over HTTP; it has the dataset `p.d`. */
export class LiveEndpoint {
  readonly server: Server;
  readonly defects: unknown[];

  private constructor(server: Server, defects: unknown[]) {
    this.server = server;
    this.defects = defects;
  }

  static async start(options: ServerOptions = {}): Promise<LiveEndpoint> {
    const defects: unknown[] = [];
    const server = await startServer({ onDefect: (error) => defects.push(error), ...options });
    const endpoint = new LiveEndpoint(server, defects);
    await endpoint.ask("POST", "/datasets", { datasetReference: { datasetId: "d" } });
    return endpoint;
  }

  /** Sends a request about project `p`; the path is what follows it. */
  async ask(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${this.server.url}/bigquery/v2/projects/p${path}`, {
      method,
      headers: { "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: text.startsWith("{") ? JSON.parse(text) : text,
    };
  }

  /** Runs a job to its end; its resource, or the error its insertion was refused with. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are checked member by member
  async job(configuration: object, jobReference: object = {}): Promise<any> {
    const { body } = await this.ask("POST", "/jobs", { configuration, jobReference });
    if (body.error !== undefined) return body;
    const { jobId } = body.jobReference;
    await this.ask("GET", `/queries/${jobId}?maxResults=0&timeoutMs=60000`);
    for (;;) {
      const job = (await this.ask("GET", `/jobs/${jobId}`)).body;
      if (job.status.state === "DONE") return job;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** The message a job fails with; undefined where it does not. */
  async failure(configuration: object): Promise<string | undefined> {
    const job = await this.job(configuration);
    return job.error?.message ?? job.status.errorResult?.message;
  }

  /** The rows of a query as lists of texts; `more` are other members of the request. */
  async rows(query: string, more: object = {}): Promise<unknown[][]> {
    const { body } = await this.ask("POST", "/queries", {
      query,
      useLegacySql: false,
      timeoutMs: 60_000,
      ...more,
    });
    if (body.error !== undefined) throw new Error(body.error.message);
    return (body.rows ?? []).map((row: { f: { v: unknown }[] }) => row.f.map((cell) => cell.v));
  }

  close(): Promise<void> {
    return this.server.close();
  }
}
