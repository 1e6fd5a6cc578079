import { writeFileSync } from "node:fs";
import path from "node:path";
import { readProbes } from "./probe.ts";
import { renderTable } from "./table.ts";

writeFileSync(path.join(import.meta.dirname, "../../SUPPORT.md"), renderTable(readProbes()));
