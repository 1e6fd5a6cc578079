// Posts what `npm run review` wrote as one comment of a pull or merge request, and renews that comment at each later push.
//   node deploy/review-comment.mjs review.md
// It runs no code of the request and takes nothing from it but this text; the request's number comes from the platform.
// GitHub: GITHUB_TOKEN, GITHUB_API_URL, GITHUB_REPOSITORY, and of the run that made the review HEAD_OWNER, HEAD_BRANCH, HEAD_SHA.
// GitLab: REVIEW_TOKEN (a project access token with the scope api), and the variables of a merge request's pipeline.
import { readFileSync } from "node:fs";

const MARK = "<!-- npm run review -->";
/** GitHub takes 65,536 characters, GitLab a million. */
const LIMIT = 65_000;

const env = process.env;
const text = readFileSync(process.argv[2] ?? "review.md", "utf8");
const body = text.startsWith(MARK) ? text.slice(0, LIMIT) : `${MARK}\n${text}`.slice(0, LIMIT);

/** What both platforms are asked, in the words of each. */
const platform = env.GITLAB_CI ? gitlab() : github();
const place = await platform.findPlace();
if (place === undefined) console.log("no open request has this commit as its newest: nothing to comment on");
else {
  const own = await findOwn(place);
  if (own === undefined) await call("POST", place, { body });
  else await call(platform.update, platform.commentOf(place, own), { body });
  console.log(own === undefined ? "commented" : "comment renewed");
}

function github() {
  const { GITHUB_API_URL: api, GITHUB_REPOSITORY: repository } = env;
  return {
    headers: { authorization: `Bearer ${env.GITHUB_TOKEN}`, accept: "application/vnd.github+json" },
    update: "PATCH",
    findPlace: async () => {
      // A run for a fork's branch does not say which request it belongs to: its branch does.
      const head = encodeURIComponent(`${env.HEAD_OWNER}:${env.HEAD_BRANCH}`);
      const requests = await call(
        "GET",
        `${api}/repos/${repository}/pulls?state=open&per_page=100&head=${head}`,
      );
      const request = requests.find((one) => one.head.sha === env.HEAD_SHA);
      return request && `${api}/repos/${repository}/issues/${request.number}/comments`;
    },
    isOwn: (comment) => comment.user?.type === "Bot",
    commentOf: (_, { id }) => `${api}/repos/${repository}/issues/comments/${id}`,
  };
}

function gitlab() {
  return {
    headers: { "private-token": env.REVIEW_TOKEN },
    update: "PUT",
    findPlace: async () =>
      `${env.CI_API_V4_URL}/projects/${env.CI_MERGE_REQUEST_PROJECT_ID}/merge_requests/${env.CI_MERGE_REQUEST_IID}/notes`,
    isOwn: (note) =>
      !note.system && (note.author?.bot ?? /^project_\d+_bot/.test(note.author?.username ?? "")),
    commentOf: (notes, { id }) => `${notes}/${id}`,
  };
}

async function findOwn(list) {
  for (let page = 1; ; page++) {
    const comments = await call("GET", `${list}?per_page=100&page=${page}`);
    const own = comments.find((comment) => comment.body?.startsWith(MARK) && platform.isOwn(comment));
    if (own !== undefined || comments.length < 100) return own;
  }
}

async function call(method, url, payload) {
  const response = await fetch(url, {
    method,
    headers: { ...platform.headers, "content-type": "application/json" },
    body: payload && JSON.stringify(payload),
  });
  if (!response.ok) {
    console.error(
      `${method} ${new URL(url).pathname}: ${response.status} ${(await response.text()).slice(0, 300)}`,
    );
    process.exit(1);
  }
  return response.json();
}
