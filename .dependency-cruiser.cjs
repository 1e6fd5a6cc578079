/**
 * Who may import whom. A layer is listed with the layers below it, from the top: each may import those below, none may import
 * upwards, and nothing imports in a circle. `npm run check` fails otherwise.
 */

/** The endpoint. Jobs ask for queries by `jobs/ports.ts`, which scripting answers; HTTP knows only jobs. */
const ENDPOINT = [
  ["index", "cli"],
  ["server"],
  ["routes"],
  ["jobs"],
  ["scripting"],
  ["compiler"],
  ["googlesql"],
  ["javascript"],
  ["storage"],
  ["raise", "type-text", "string-literal"],
  ["values"],
  ["types", "errors", "user", "hold-up"],
];

/** The tool. */
const TOOL = [
  ["cli"],
  ["scaffold"],
  ["watch"],
  ["review", "warehouse"],
  ["page", "schedule"],
  ["dataform"],
  ["generate"],
  ["project"],
];

/** Rules by which nothing in a layer imports from a layer above it. */
function layered(name, root, layers) {
  const pathOf = (layer) => `^${root}/(${layer.join("|")})(/|\\.ts$)`;
  return layers.slice(1).map((layer, index) => ({
    name: `${name}-${layer[0]}-imports-upwards`,
    severity: "error",
    from: { path: pathOf(layer) },
    to: { path: pathOf(layers.slice(0, index + 1).flat()), pathNot: `^${root}/jobs/ports\\.ts$` },
  }));
}

module.exports = {
  forbidden: [
    { name: "circle", severity: "error", from: { path: "^(local|test)/" }, to: { circular: true } },
    { name: "tool-circle", severity: "error", from: { path: "^generator/" }, to: { circular: true } },
    { name: "unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    ...layered("endpoint", "local/src", ENDPOINT),
    ...layered("tool", "generator/src", TOOL),
    {
      name: "endpoint-knows-nothing-of-the-tool",
      severity: "error",
      from: { path: "^local/" },
      to: { path: "^(generator|test|includes)/|user-info-updater" },
    },
    {
      name: "tool-reaches-the-endpoint-by-its-package-name",
      comment: "import from 'bigquery-local'",
      severity: "error",
      from: { path: "^generator/" },
      to: { path: "^local/(?!index\\.)" },
    },
    {
      name: "sources-import-no-tests",
      severity: "error",
      from: { path: "^(generator|local)/src/" },
      to: { path: "^test/|^(generator|local)/(test|bench)/" },
    },
  ],
  options: {
    // TypeScript's own compiler has no API any more that dependency-cruiser could use.
    parser: "swc",
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "node_modules|/dist/|compiled/" },
    enhancedResolveOptions: {
      extensions: [".ts", ".js", ".mjs", ".json"],
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
    },
  },
};
