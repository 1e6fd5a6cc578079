// A clone runs the sources as they stand, the package has only what was built from them.
import { existsSync } from "node:fs";

const source = new URL("./src/", import.meta.url);
const isClone = existsSync(source);
if (isClone) (await import("tsx/esm/api")).register();

/** A module of src/, by its name without extension. */
export const load = (name) => import(isClone ? new URL(`${name}.ts`, source).href : `./dist/${name}.js`);
