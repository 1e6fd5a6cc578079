import { sqlOf } from "./arguments.ts";
import { withoutOwnErrors } from "./safe.ts";
import type { ScalarMapping } from "./types.ts";

function own(name: string): ScalarMapping {
  return (call) =>
    `${call.context.own(`net_${name}`)}(${call.args.map((_, index) => sqlOf(call, index)).join(", ")})`;
}

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/net_functions */
export const netFunctions: Readonly<Record<string, ScalarMapping>> = {
  "net.host": own("host"),
  "net.public_suffix": own("public_suffix"),
  "net.reg_domain": own("reg_domain"),
  "net.ip_from_string": own("ip_from_string"),
  "net.safe_ip_from_string": (call) => withoutOwnErrors(call, own("ip_from_string")),
  "net.ip_to_string": own("ip_to_string"),
  "net.ip_net_mask": own("ip_net_mask"),
  "net.ip_trunc": own("ip_trunc"),
  "net.ipv4_from_int64": own("ipv4_from_int64"),
  "net.ipv4_to_int64": own("ipv4_to_int64"),
};
