import { isUtf8 } from "node:buffer";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { sivDecrypt, sivEncrypt } from "./aes-siv.ts";
import {
  bytes,
  EvaluationError,
  int,
  partialUdf,
  Refusal,
  text,
  type Udf,
  udf,
  volatileUdf,
} from "./define.ts";
import { keysetFromJson, keysetToJson } from "./keyset-json.ts";
import {
  AES_GCM,
  AES_SIV,
  ENABLED,
  type Key,
  type KeyKind,
  type Keyset,
  keyBytes,
  PREFIX,
  readKeyset,
  withKey,
  writeKeyset,
} from "./tink-keyset.ts";

const IV = 12;
const TAG = 16;

/** A way of encrypting with one key; what it cannot decrypt is undefined. */
interface Cipher {
  /** As an error names it. */
  readonly name: string;
  readonly kind: KeyKind;
  encrypt(key: Buffer, plaintext: Buffer, associated: Buffer): Buffer;
  decrypt(key: Buffer, ciphertext: Buffer, associated: Buffer): Buffer | undefined;
}

/** AES-GCM as Tink has it: a random vector, the ciphertext, the tag. */
const gcm: Cipher = {
  name: "AEAD",
  kind: AES_GCM,
  encrypt: (key, plaintext, associated) => {
    const vector = randomBytes(IV);
    const cipher = createCipheriv(key.length === 16 ? "aes-128-gcm" : "aes-256-gcm", key, vector);
    cipher.setAAD(associated);
    const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([vector, body, cipher.getAuthTag()]);
  },
  decrypt: (key, ciphertext, associated) => {
    if (ciphertext.length < IV + TAG) return undefined;
    const algorithm = key.length === 16 ? "aes-128-gcm" : "aes-256-gcm";
    const decipher = createDecipheriv(algorithm, key, ciphertext.subarray(0, IV));
    decipher.setAAD(associated);
    decipher.setAuthTag(ciphertext.subarray(-TAG));
    try {
      return Buffer.concat([decipher.update(ciphertext.subarray(IV, -TAG)), decipher.final()]);
    } catch {
      return undefined;
    }
  },
};

/** AES-SIV as Tink has it: one piece of associated data, which may be empty. */
const siv: Cipher = {
  name: "Deterministic AEAD",
  kind: AES_SIV,
  encrypt: (key, plaintext, associated) => sivEncrypt(key, [associated], plaintext),
  decrypt: (key, ciphertext, associated) => sivDecrypt(key, [associated], ciphertext),
};

function fail(what: string): never {
  throw new EvaluationError(what);
}

function parsed(caller: string, serialized: Buffer): Keyset {
  return (
    readKeyset(serialized) ??
    fail(
      `${caller} failed: Keyset deserialization failed: Error reading keyset data: Could not parse the input stream as a Keyset-proto.`,
    )
  );
}

/** What a key's ciphertexts start with (https://developers.google.com/tink/wire-format). */
function prefixOf({ keyId, outputPrefixType }: Key): Buffer {
  if (outputPrefixType === PREFIX.raw) return Buffer.alloc(0);
  const prefix = Buffer.alloc(5);
  prefix[0] = outputPrefixType === PREFIX.tink ? 1 : 0;
  prefix.writeUInt32BE(keyId, 1);
  return prefix;
}

/** A key that is ready for use. */
interface Ready {
  readonly keyId: number;
  readonly bytes: Buffer;
  readonly prefix: Buffer;
}

/** The enabled keys of a keyset, which must all be of the cipher's kind; the primary one must be among them. */
function readyKeys(caller: string, serialized: Buffer, { name, kind }: Cipher): [Ready, readonly Ready[]] {
  const because = (what: string): never =>
    fail(`${caller} failed: Creation of ${name} primitive failed: ${what}`);
  const { keys, primaryKeyId } = parsed(caller, serialized);
  if (keys.length === 0) because("A valid keyset must contain at least one key.");
  const ready = keys
    .filter(({ status }) => status === ENABLED)
    .map((key): Ready => {
      const { keyId, keyData, outputPrefixType } = key;
      if (keyData === undefined) return because(`key ${keyId} has no key data.`);
      if (!Object.values(PREFIX).includes(outputPrefixType)) because(`key ${keyId} has unknown prefix.`);
      // BigQuery makes such keys from raw bytes; how they are serialized is not public.
      if (keyData.typeUrl.endsWith("AesCbcPkcs7Key"))
        throw new Refusal("keysets with keys of the type AES_CBC_PKCS");
      const bytes = keyBytes(keyData, kind);
      if (bytes === undefined) return because(`key ${keyId} is no key of the type ${kind.typeUrl}.`);
      return { keyId, bytes, prefix: prefixOf(key) };
    });
  const primary = ready.filter(({ keyId }) => keyId === primaryKeyId);
  if (primary.length > 1) because("keyset contains multiple primary keys.");
  const [found = because("keyset doesn't contain a valid primary key.")] = primary;
  return [found, ready];
}

/** Encrypts with the primary key, whose number comes first unless it is a raw key. */
function encrypt(caller: string, cipher: Cipher) {
  return (keyset: Buffer, plaintext: Buffer, associated: Buffer): Buffer => {
    const [primary] = readyKeys(caller, keyset, cipher);
    return Buffer.concat([primary.prefix, cipher.encrypt(primary.bytes, plaintext, associated)]);
  };
}

/** Decrypts with the keys whose prefix the ciphertext has, then with the raw ones, until one succeeds. */
function decrypt(caller: string, cipher: Cipher) {
  return (keyset: Buffer, ciphertext: Buffer, associated: Buffer): Buffer => {
    const [, keys] = readyKeys(caller, keyset, cipher);
    const candidates = keys
      .filter(({ prefix }) => ciphertext.subarray(0, prefix.length).equals(prefix))
      .sort((a, b) => b.prefix.length - a.prefix.length);
    for (const { bytes, prefix } of candidates) {
      const plaintext = cipher.decrypt(bytes, ciphertext.subarray(prefix.length), associated);
      if (plaintext !== undefined) return plaintext;
    }
    return fail(`${caller} failed: decryption failed`);
  };
}

/** Decrypts to a STRING. */
function decryptText(caller: string, cipher: Cipher) {
  const open = decrypt(caller, cipher);
  return (keyset: Buffer, ciphertext: Buffer, associated: Buffer): string => {
    const plaintext = open(keyset, ciphertext, associated);
    if (isUtf8(plaintext)) return plaintext.toString("utf8");
    const instead = caller.replace("STRING", "BYTES");
    return fail(
      `${caller} failed: Decrypted plaintext is not a valid UTF-8 string. To decrypt to BYTES, use ${instead}`,
    );
  };
}

/** The kinds of keys that KEYS.NEW_KEYSET and KEYS.ROTATE_KEYSET make; a new key has the greatest length of its kind. */
const KEY_TYPES: ReadonlyMap<string, KeyKind> = new Map([
  ["AEAD_AES_GCM_256", AES_GCM],
  ["DETERMINISTIC_AEAD_AES_SIV_CMAC_256", AES_SIV],
]);

function kindOf(caller: string, keyType: string): KeyKind {
  return KEY_TYPES.get(keyType) ?? fail(`Invalid key type provided to ${caller}: ${keyType}`);
}

function rotate(caller: string, keyset: Keyset, keyType: string): Buffer {
  const kind = kindOf(caller, keyType);
  if (keyset.keys.some(({ keyData }) => keyData !== undefined && keyData.typeUrl !== kind.typeUrl)) {
    fail(`${caller} failed: The key type ${keyType} is not that of the keys in the keyset.`);
  }
  const bytes = randomBytes(Math.max(...kind.sizes));
  const { keys } = withKey(keyset, kind, bytes, PREFIX.tink);
  return writeKeyset({ primaryKeyId: keys.at(-1)?.keyId ?? 0, keys });
}

function addRawKey(serialized: Buffer, keyType: string, raw: Buffer): Buffer {
  const caller = "KEYS.ADD_KEY_FROM_RAW_BYTES";
  const keyset = parsed(caller, serialized);
  if (keyType !== "AES_GCM") fail(`Invalid key type provided to ${caller}: ${keyType}`);
  if (!AES_GCM.sizes.includes(raw.length)) {
    fail(
      `Failed to add a key from raw bytes: Unsupported key size: ${raw.length} bytes; expected 16 or 32 bytes.`,
    );
  }
  // Which key would be the primary one is not documented.
  if (keyset.keys.length === 0) throw new Refusal(`${caller} to a keyset without keys`);
  return writeKeyset(withKey(keyset, AES_GCM, raw, PREFIX.raw));
}

const NONE: Keyset = { primaryKeyId: 0, keys: [] };

/**
 * Encryption with keysets of Tink (https://cloud.google.com/bigquery/docs/reference/standard-sql/aead_encryption_functions);
 * all text is passed as BYTES.
 */
export const aeadUdfs: readonly Udf[] = [
  volatileUdf("new_keyset", [text], bytes, (keyType) => rotate("KEYS.NEW_KEYSET", NONE, keyType)),
  volatileUdf("rotate_keyset", [bytes, text], bytes, (keyset, keyType) =>
    rotate("KEYS.ROTATE_KEYSET", parsed("KEYS.ROTATE_KEYSET", keyset), keyType),
  ),
  volatileUdf("add_raw_key", [bytes, text, bytes], bytes, addRawKey),
  udf("keyset_from_json", [text], bytes, (json) => writeKeyset(keysetFromJson(json))),
  udf("keyset_to_json", [bytes], text, (keyset) => keysetToJson(parsed("KEYS.KEYSET_TO_JSON", keyset))),
  udf("keyset_length", [bytes], int, (keyset) => BigInt(parsed("KEYS.KEYSET_LENGTH", keyset).keys.length)),
  volatileUdf("aead_encrypt", [bytes, bytes, bytes], bytes, encrypt("AEAD.ENCRYPT", gcm)),
  partialUdf("aead_decrypt_bytes", [bytes, bytes, bytes], bytes, decrypt("AEAD.DECRYPT_BYTES", gcm)),
  partialUdf("aead_decrypt_string", [bytes, bytes, bytes], text, decryptText("AEAD.DECRYPT_STRING", gcm)),
  partialUdf("deterministic_encrypt", [bytes, bytes, bytes], bytes, encrypt("DETERMINISTIC_ENCRYPT", siv)),
  partialUdf(
    "deterministic_decrypt_bytes",
    [bytes, bytes, bytes],
    bytes,
    decrypt("DETERMINISTIC_DECRYPT_BYTES", siv),
  ),
  partialUdf(
    "deterministic_decrypt_string",
    [bytes, bytes, bytes],
    text,
    decryptText("DETERMINISTIC_DECRYPT_STRING", siv),
  ),
];
