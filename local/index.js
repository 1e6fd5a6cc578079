// A clone runs the sources as they stand; the package has only what was built from them.
import { existsSync } from "node:fs";

const source = new URL("./src/index.ts", import.meta.url);
export const { startServer } = await import(existsSync(source) ? source.href : "./dist/index.js");
