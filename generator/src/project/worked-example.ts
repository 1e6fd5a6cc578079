import { fileURLToPath } from "node:url";

/**
 * The folder of the worked example, a project with schemas, samples and includes: in a clone the repository itself, in the package the
 * copy that its build takes along.
 */
export const WORKED_EXAMPLE = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../../.." : "../example", import.meta.url),
);
