import { readProject } from "../../project/dataform-json.ts";
import { wrongUsage } from "../../project/errors.ts";
import { findBase } from "../../review/git.ts";
import { formatMarkdown } from "../../review/markdown.ts";
import { compareSides } from "../../review/review.ts";
import { readBase, readHead } from "../../review/sides.ts";
import { todoIn } from "../../review/todo.ts";
import { askWarehouse } from "../../review/warehouse.ts";
import { defineCommand, ENVIRONMENT_OPTION, text } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTerminal } from "../review-terminal.ts";
import { describeTarget } from "../target.ts";
import { writeForCaller } from "../write-for-caller.ts";

/** `npm run review`: what a pull request changes. */
export const review = defineCommand({
  name: "review",
  summary: "what a pull request changes: schema, graph, compiled SQL, cost",
  description:
    "What the working tree changes since it left <ref>: schema, graph, compiled SQL, cost, and what to do about it.",
  options: {
    ...ENVIRONMENT_OPTION,
    base: text("--base <ref>", "a branch, tag or commit, such as origin/main"),
    format: text(
      "--format <form>",
      "for a pull request's comment (the default where the output is no terminal), or for a terminal",
      ["markdown", "terminal"],
    ),
    out: text("--out <file>", "write to this file"),
    html: text(
      "--html <file>",
      "write it as a page as well: graph, side-by-side SQL, cost; one file, no network",
    ),
  },
  examples: [
    { term: "npm run review -- --base origin/main", meaning: "before you open a pull request" },
    { term: "npm run review -- --base origin/main --html review.html", meaning: "as a page for a browser" },
    { term: "npm run review -- --base origin/main --out review.md", meaning: "in CI, for a comment" },
  ],
  exitCodes: [EXIT.done, EXIT.failed],
  async run(context, { options: { base: ref = "", format, out, html } }) {
    if (ref === "") throw wrongUsage("review: name what to compare with, such as --base origin/main");
    const { root, output } = context;
    const isTerminal = output.isTerminal && out === undefined;
    const project = await readProject(root, context.environment);
    const { environment } = project;
    const base = await findBase(root, ref);
    const [before, after] = await Promise.all([
      readBase(root, base.commit, environment),
      readHead(root, environment),
    ]);
    const changes = compareSides(base, before, after, project);
    const todos = changes.todos.map((todo) => todoIn(todo, environment));
    const place = describeTarget(project);
    const found = {
      ...changes,
      todos,
      place,
      ...(await askWarehouse(project, after.models, changes.graph.actions)),
    };
    const isMarkdown = (format ?? (isTerminal ? "terminal" : "markdown")) === "markdown";
    const rendered = isMarkdown
      ? formatMarkdown(found)
      : formatTerminal(found, isTerminal && output.isColoured);
    if (html !== undefined) {
      const { formatPage } = await import("../../review/page/review-page.ts");
      await writeForCaller("review: --html", html, formatPage(found));
    }
    if (out === undefined) output.write(rendered);
    else await writeForCaller("review: --out", out, rendered);
    return EXIT.done;
  },
});
