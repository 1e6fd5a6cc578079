import { domainToASCII } from "node:url";
import { parse } from "tldts";
import { text, type Udf, udf } from "./define.ts";

/** A text without these characters at its ends; a pattern for the end would try every place before it. */
function trimmed(source: string, characters: string): string {
  let [start, end] = [0, source.length];
  while (start < end && characters.includes(source[start] as string)) start++;
  while (end > start && characters.includes(source[end - 1] as string)) end--;
  return source.slice(start, end);
}

const ASCII_SPACES = " \t\n\v\f\r";

/** The host of a URL as NET.HOST finds it; a backslash counts as a slash, and what comes before `://` need be no scheme. */
function hostOf(url: string): string | null {
  const [authority = ""] = trimmed(url, ASCII_SPACES)
    .replace(/^(?:[^#?/\\:]*:)?[/\\]{2}/, "")
    .split(/[#?/\\]/, 1);
  const place = authority.slice(authority.lastIndexOf("@") + 1);
  const name = /^(?:\[[^[\]]*[[\]]?)?[^:]*/.exec(place)?.[0] ?? "";
  const bare = trimmed(name, ".");
  if (bare === "") return null;
  return name.endsWith(".") ? `${bare}.` : bare;
}

/** A host as the list of public suffixes has it: in lower case, with Punycode for what is not ASCII. */
function normalized(host: string): string {
  return host
    .replace(/\.$/, "")
    .split(".")
    .map((label) => (/^[\0-\x7f]*$/.test(label) ? label.toLowerCase() : domainToASCII(label) || label))
    .join(".");
}

/** The host is known to be one, and domains that private owners have registered on the list do not count. */
const LOOKUP = {
  allowPrivateDomains: false,
  detectIp: false,
  extractHostname: false,
  validateHostname: false,
};

/** How many labels the ICANN suffix at the end of a normalized host has; 0 for a top-level domain that is not on the list. */
function suffixLabels(host: string): number {
  const { isIcann, publicSuffix } = parse(host, LOOKUP);
  if (isIcann !== true || publicSuffix === null) return 0;
  const labels = publicSuffix.split(".").length;
  // By the list's own algorithm the rule "*.kobe.jp" makes no suffix of "kobe.jp"; the library takes it for one.
  const isParent = labels > 1 && publicSuffix === host && parse(`x.${host}`, LOOKUP).publicSuffix !== host;
  return isParent ? labels - 1 : labels;
}

/** The suffix of a URL's host with so many labels more, as the host has it written. */
function domainOf(url: string, more: number): string | null {
  const host = hostOf(url);
  if (host === null || host.includes("..")) return null;
  const ascii = normalized(host);
  const wanted = suffixLabels(ascii) + more;
  if (wanted === more || wanted > ascii.split(".").length) return null;
  const labels = host.split(".");
  const isRooted = host.endsWith(".");
  return labels.slice(-(wanted + (isRooted ? 1 : 0))).join(".");
}

/** The parts of a URL's host (https://cloud.google.com/bigquery/docs/reference/standard-sql/net_functions#nethost). */
export const urlHostUdfs: readonly Udf[] = [
  udf("net_host", [text], text, hostOf),
  udf("net_public_suffix", [text], text, (url) => domainOf(url, 0)),
  udf("net_reg_domain", [text], text, (url) => domainOf(url, 1)),
];
