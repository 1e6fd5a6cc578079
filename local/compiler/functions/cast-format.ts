import { unsupported } from "../../errors.ts";
import type { CastCall } from "./types.ts";

/** CAST … FORMAT. */
export function castWithFormat(call: CastCall): string {
  throw unsupported(`CAST from ${call.from.kind} to ${call.to.kind} with FORMAT`);
}
