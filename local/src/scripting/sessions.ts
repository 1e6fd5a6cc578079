import { randomUUID } from "node:crypto";
import { BigQueryError } from "../errors.ts";
import type { QueryRequest } from "../jobs/ports.ts";
import { rollback } from "../storage/database.ts";
import { sameLocation } from "../storage/names.ts";
import { type EngineParts, type OpenSessions, Session } from "./session.ts";

/** https://cloud.google.com/bigquery/docs/sessions-intro#limitations */
const IDLE_MS = 24 * 60 * 60 * 1000;
const LIFETIME_MS = 7 * IDLE_MS;

interface LiveSession {
  readonly session: Session;
  readonly projectId: string;
  /** Where all its queries run, if its first one said so. */
  readonly location: string | undefined;
  readonly created: number;
  used: number;
  isBusy: boolean;
  isEnding: boolean;
}

/**
 * Sessions: what one query leaves (temporary tables and functions, variables, an open transaction) the next one finds
 * (https://cloud.google.com/bigquery/docs/sessions-intro). They end with the process.
 */
export class SessionRegistry implements OpenSessions {
  readonly #sessions = new Map<string, LiveSession>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Runs a job in the session it asks for; one that it makes goes again if the job fails. */
  async run<T>(
    parts: EngineParts,
    request: QueryRequest,
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    await this.#endOld();
    const wanted = request.session;
    const isNew = wanted === undefined || "create" in wanted;
    const live = isNew ? await this.#create(parts, request) : this.#need(wanted.id, request);
    if (live.isBusy) {
      throw new BigQueryError("resourceInUse", "Concurrent jobs in the same session are not allowed.");
    }
    live.isBusy = true;
    live.session.begin(request);
    let isDone = false;
    try {
      const result = await work(live.session);
      isDone = true;
      return result;
    } finally {
      live.used = this.#now();
      live.isBusy = false;
      if (live.isEnding || (isNew && !isDone)) await this.#end(live);
    }
  }

  /** Ends a session: at once, or when the query that runs in it has ended (https://cloud.google.com/bigquery/docs/reference/system-procedures#bqabort_session). */
  async abort(id: string, projectId: string): Promise<void> {
    const live = this.#sessions.get(id);
    if (live === undefined || live.projectId !== projectId) throw unknownSession(id);
    live.isEnding = true;
    if (!live.isBusy) await this.#end(live);
  }

  /** Ends all sessions. */
  async close(): Promise<void> {
    for (const live of this.#sessions.values()) await this.#end(live);
  }

  async #create(parts: EngineParts, request: QueryRequest): Promise<LiveSession> {
    const id = Buffer.from(`session ${randomUUID()}`).toString("base64url");
    const connection = await parts.storage.database.connect();
    const now = this.#now();
    const live = {
      session: new Session(parts, request, connection, id),
      projectId: request.projectId,
      location: request.location,
      created: now,
      used: now,
      isBusy: false,
      isEnding: false,
    };
    this.#sessions.set(id, live);
    return live;
  }

  #need(id: string, { projectId, location }: QueryRequest): LiveSession {
    const live = this.#sessions.get(id);
    if (live === undefined || live.isEnding || live.projectId !== projectId) throw unknownSession(id);
    if (location !== undefined && live.location !== undefined && !sameLocation(location, live.location)) {
      throw unknownSession(id);
    }
    return live;
  }

  async #end(live: LiveSession): Promise<void> {
    const { session } = live;
    if (session.id === undefined || !this.#sessions.delete(session.id)) return;
    await session.close();
    await rollback(session.connection);
    session.connection.closeSync();
  }

  async #endOld(): Promise<void> {
    const now = this.#now();
    for (const live of this.#sessions.values()) {
      const isOld = now - live.used > IDLE_MS || now - live.created > LIFETIME_MS;
      if (isOld && !live.isBusy) await this.#end(live);
    }
  }
}

function unknownSession(id: string): BigQueryError {
  return new BigQueryError("notFound", `Not found: Session ${id.slice(0, 200)}`);
}
