import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** What the stand-in was asked to write. */
interface Write {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
}

/** A stand-in for Dataform's REST API (https://cloud.google.com/dataform/reference/rest/v1): resources by name, get, create, patch. */
export interface StandIn {
  readonly url: string;
  /** Resources by their names. */
  readonly resources: Map<string, Record<string, unknown>>;
  readonly writes: readonly Write[];
  close(): Promise<void>;
}

/** Starts one on a free port. */
export async function startStandIn(): Promise<StandIn> {
  const resources = new Map<string, Record<string, unknown>>();
  const writes: Write[] = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "", "http://localhost");
    const name = decodeURIComponent(url.pathname.replace(/^\/v1\//, ""));
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    const body = await bodyOf(request);
    if (request.method === "GET") {
      const found = resources.get(name);
      if (found !== undefined) return answer(200, found);
      return answer(404, { error: { code: 404, status: "NOT_FOUND", message: `${name} not found` } });
    }
    writes.push({ method: request.method ?? "", path: url.pathname + url.search, body });
    if (request.method === "POST") {
      const id = ["repositoryId", "releaseConfigId", "workflowConfigId"].flatMap(
        (key) => url.searchParams.get(key) ?? [],
      )[0];
      const own = `${name}/${id}`;
      if (resources.has(own))
        return answer(409, { error: { code: 409, status: "ALREADY_EXISTS", message: own } });
      resources.set(own, { ...body, name: own });
      return answer(200, resources.get(own));
    }
    const mask = (url.searchParams.get("updateMask") ?? "").split(",");
    const fields = Object.fromEntries(
      mask
        .map((field) => field.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()))
        .map((field) => [field, body[field]]),
    );
    resources.set(name, { ...resources.get(name), ...fields });
    return answer(200, resources.get(name));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    resources,
    writes,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}
