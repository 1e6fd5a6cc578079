import { unsupported } from "../../errors.ts";
import { kindOf, sqlOf } from "./arguments.ts";
import type { FunctionCall, ScalarMapping } from "./types.ts";

/** The bytes that are hashed: of a STRING, its UTF-8. */
function hashed(call: FunctionCall): string {
  return kindOf(call, 0) === "STRING" ? `encode(${sqlOf(call, 0)})` : sqlOf(call, 0);
}

/** Hash functions; they give BYTES where DuckDB's own give hexadecimal text. */
export const hashFunctions: Readonly<Record<string, ScalarMapping>> = {
  md5: (call) => `unhex(md5(${hashed(call)}))`,
  sha1: (call) => `unhex(sha1(${hashed(call)}))`,
  sha256: (call) => `unhex(sha256(${hashed(call)}))`,
  sha512: (call) => `${call.context.own("sha512")}(${hashed(call)})`,
  farm_fingerprint: (call) => `${call.context.own("farm_fingerprint")}(${hashed(call)})`,
  generate_uuid: () => "CAST(uuid() AS VARCHAR)",
  session_user: () => {
    throw unsupported("SESSION_USER");
  },
};
