import { kindOf, literalText, refuse, sqlOf } from "./arguments.ts";
import type { FunctionCall, ScalarMapping } from "./types.ts";

/** An argument of a cipher as BYTES. */
function bytesOf(call: FunctionCall, index: number): string {
  if (kindOf(call, index) === "STRUCT") return refuse(call, "with a wrapped keyset");
  return kindOf(call, index) === "STRING" ? `encode(${sqlOf(call, index)})` : sqlOf(call, index);
}

function cipher(name: string): ScalarMapping {
  return (call) => `${call.context.own(name)}(${bytesOf(call, 0)}, ${bytesOf(call, 1)}, ${bytesOf(call, 2)})`;
}

/** Encryption with keysets; those that Cloud KMS has wrapped are refused (https://cloud.google.com/bigquery/docs/reference/standard-sql/aead_encryption_functions). */
export const aeadFunctions: Readonly<Record<string, ScalarMapping>> = {
  "aead.encrypt": cipher("volatile_aead_encrypt"),
  "aead.decrypt_bytes": cipher("partial_aead_decrypt_bytes"),
  "aead.decrypt_string": cipher("partial_aead_decrypt_string"),
  deterministic_encrypt: cipher("partial_deterministic_encrypt"),
  deterministic_decrypt_bytes: cipher("partial_deterministic_decrypt_bytes"),
  deterministic_decrypt_string: cipher("partial_deterministic_decrypt_string"),
  "keys.new_keyset": (call) => `${call.context.own("volatile_new_keyset")}(${sqlOf(call, 0)})`,
  "keys.rotate_keyset": (call) =>
    `${call.context.own("volatile_rotate_keyset")}(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`,
  "keys.add_key_from_raw_bytes": (call) => {
    // How such a key is serialized is not public.
    if (literalText(call.args[1]) === "AES_CBC_PKCS") return refuse(call, "of the key type AES_CBC_PKCS");
    return `${call.context.own("volatile_add_raw_key")}(${sqlOf(call, 0)}, ${sqlOf(call, 1)}, ${sqlOf(call, 2)})`;
  },
  "keys.keyset_from_json": (call) => `${call.context.own("keyset_from_json")}(${sqlOf(call, 0)})`,
  "keys.keyset_to_json": (call) => `${call.context.own("keyset_to_json")}(${sqlOf(call, 0)})`,
  "keys.keyset_length": (call) => `${call.context.own("keyset_length")}(${sqlOf(call, 0)})`,
};
