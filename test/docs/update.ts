/** `npm run docs`: writes the pages of docs/ that follow from the commands and the compiled SQL. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT, renderDocs } from "./render.ts";

for (const [file, text] of await renderDocs()) writeFileSync(path.join(ROOT, file), text);
