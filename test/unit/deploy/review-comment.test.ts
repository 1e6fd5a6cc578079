import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, describe, expect, it } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../../deploy/review-comment.mjs", import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), "comment-"));
const review = path.join(folder, "review.md");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let server: Server | undefined;
afterEach(() => server?.close());

/** A platform's API: answers by method and path, and what it was asked with a body. */
async function startApi(
  answers: Record<string, unknown>,
): Promise<{ url: string; writes: [string, string][] }> {
  const writes: [string, string][] = [];
  server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => {
      const asked = `${request.method} ${request.url}`;
      if (request.method !== "GET") writes.push([asked, (JSON.parse(text) as { body: string }).body]);
      const answer = request.method === "GET" ? answers[asked] : {};
      response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer ?? { message: "Not Found" }));
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, writes };
}

async function comment(
  env: Record<string, string>,
  text = "<!-- npm run review -->\n## What",
): Promise<string> {
  writeFileSync(review, text);
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, review], { env });
  return stdout.trim();
}

const MARKED = { body: "<!-- npm run review -->\nold" };

describe("a review's comment on GitHub", () => {
  const pulls = "GET /repos/o/r/pulls?state=open&per_page=100&head=fork%3Abranch";
  const list = "GET /repos/o/r/issues/7/comments?per_page=100&page=1";
  const env = (url: string) => ({
    GITHUB_API_URL: url,
    GITHUB_REPOSITORY: "o/r",
    GITHUB_TOKEN: "t",
    HEAD_OWNER: "fork",
    HEAD_BRANCH: "branch",
    HEAD_SHA: "abc",
  });
  const open = [{ number: 7, head: { sha: "abc" } }];

  it("is made once, on the request whose newest commit was reviewed", async () => {
    const { url, writes } = await startApi({ [pulls]: open, [list]: [] });
    expect(await comment(env(url))).toBe("commented");
    expect(writes).toEqual([["POST /repos/o/r/issues/7/comments", "<!-- npm run review -->\n## What"]]);
  });

  it("is renewed in its place, and nobody else's is touched", async () => {
    const others = [
      { id: 1, ...MARKED, user: { type: "User" } },
      { id: 2, body: "see <!-- npm run review -->", user: { type: "Bot" } },
    ];
    const own = { id: 3, ...MARKED, user: { type: "Bot" } };
    const { url, writes } = await startApi({ [pulls]: open, [list]: [...others, own] });
    expect(await comment(env(url))).toBe("comment renewed");
    expect(writes.map(([asked]) => asked)).toEqual(["PATCH /repos/o/r/issues/comments/3"]);
  });

  it("is left alone when a newer commit was pushed meanwhile", async () => {
    const { url, writes } = await startApi({ [pulls]: [{ number: 7, head: { sha: "newer" } }] });
    expect(await comment(env(url))).toContain("nothing to comment on");
    expect(writes).toEqual([]);
  });

  it("always bears its mark, and fits", async () => {
    const { url, writes } = await startApi({ [pulls]: open, [list]: [] });
    await comment(env(url), "x".repeat(100_000));
    expect(writes[0]?.[1]).toMatch(/^<!-- npm run review -->\nx+$/);
    expect(writes[0]?.[1].length).toBeLessThan(65_536);
  });

  it("fails with what the platform said", async () => {
    const { url } = await startApi({});
    await expect(comment(env(url))).rejects.toThrow(/GET \/repos\/o\/r\/pulls: 404/);
  });
});

describe("a review's comment on GitLab", () => {
  const notes = "/projects/5/merge_requests/9/notes";
  const env = (url: string) => ({
    GITLAB_CI: "true",
    CI_API_V4_URL: url,
    CI_MERGE_REQUEST_PROJECT_ID: "5",
    CI_MERGE_REQUEST_IID: "9",
    REVIEW_TOKEN: "t",
  });

  it("is made once and then renewed", async () => {
    const empty = await startApi({ [`GET ${notes}?per_page=100&page=1`]: [] });
    await comment(env(empty.url));
    expect(empty.writes.map(([asked]) => asked)).toEqual([`POST ${notes}`]);
    server?.close();
    const own = { id: 11, ...MARKED, author: { username: "project_5_bot_1f" } };
    const full = await startApi({
      [`GET ${notes}?per_page=100&page=1`]: [{ id: 10, ...MARKED, author: { username: "ann" } }, own],
    });
    await comment(env(full.url));
    expect(full.writes.map(([asked]) => asked)).toEqual([`PUT ${notes}/11`]);
  });
});
