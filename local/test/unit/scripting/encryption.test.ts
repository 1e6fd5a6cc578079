import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

async function row(sql: string): Promise<readonly unknown[] | undefined> {
  return (await harness.rows(sql))[0];
}

async function message(expression: string): Promise<string> {
  return (await harness.failure(`SELECT ${expression}`)).message;
}

const GCM = "KEYS.NEW_KEYSET('AEAD_AES_GCM_256')";
const SIV = "KEYS.NEW_KEYSET('DETERMINISTIC_AEAD_AES_SIV_CMAC_256')";

/** One key's JSON, as BigQuery's documentation shows it. */
function keyJson(typeUrl: string, value: string, keyId: number, prefix = "TINK", status = "ENABLED"): string {
  const url = `type.googleapis.com/google.crypto.tink.${typeUrl}`;
  return `{"keyData":{"keyMaterialType":"SYMMETRIC","typeUrl":"${url}","value":"${value}"},"keyId":${keyId},"outputPrefixType":"${prefix}","status":"${status}"}`;
}

function keyset(primary: number, ...keys: readonly string[]): string {
  return `KEYS.KEYSET_FROM_JSON('{"key":[${keys.join(",")}],"primaryKeyId":${primary}}')`;
}

/** The key message of a key in hexadecimal. */
function keyValue(field: number, digits: string): string {
  const bytes = Buffer.from(digits, "hex");
  return Buffer.from([(field << 3) | 2, bytes.length, ...bytes]).toString("base64");
}

// https://cloud.google.com/bigquery/docs/reference/standard-sql/aead_encryption_functions
describe("keysets", () => {
  const documented = keyJson("AesGcmKey", "GiD80Z8kL6AP3iSNHhqseZGAIvq7TVQzClT7FQy8YwK3OQ==", 3101427138);

  test("go from JSON to Tink's protocol buffer and back", async () => {
    const [bytes, json] = (await row(
      `SELECT TO_HEX(k), KEYS.KEYSET_TO_JSON(k) FROM (SELECT ${keyset(3101427138, documented)} AS k)`,
    )) as [string, string];
    expect(json).toBe(`{"key":[${documented}],"primaryKeyId":3101427138}`);
    const url = Buffer.from("type.googleapis.com/google.crypto.tink.AesGcmKey").toString("hex");
    const id = "c28bf0c60b";
    const value = "1a20fcd19f242fa00fde248d1e1aac79918022fabb4d54330a54fb150cbc6302b739";
    expect(bytes).toBe(`08${id}1264${"0a58"}0a30${url}1222${value}180110011${"8"}${id}2001`);
  });

  test("may have their fields in any order, by their own names, and an array in parts", async () => {
    const json = `{"primary_key_id":"1","key":[{"status":1,"key_id":1,"output_prefix_type":"RAW","key_data":null}],"key":[{"keyId":2}]}`;
    expect(await row(`SELECT KEYS.KEYSET_TO_JSON(KEYS.KEYSET_FROM_JSON('${json}'))`)).toEqual([
      `{"key":[{"keyId":1,"outputPrefixType":"RAW","status":"ENABLED"},{"keyId":2}],"primaryKeyId":1}`,
    ]);
  });

  test.each([
    ['{"key":123}', "key is no array"],
    ['{"keys":[]}', "no such field: keys"],
    ['{"key":[{"status":"LOST"}]}', "no such value: LOST"],
    ['{"primaryKeyId":-1}', "a number from 0 to 4294967295 was expected"],
    ['{"key":[{"keyData":{"value":"A"}}]}', "Base64 was expected"],
    ["[]", "a JSON object was expected"],
  ])("%s is none", async (json, why) => {
    expect(await message(`KEYS.KEYSET_FROM_JSON('${json}')`)).toBe(
      `KEYS.KEYSET_FROM_JSON failed: Keyset deserialization failed: ${why}`,
    );
    expect(await row(`SELECT SAFE.KEYS.KEYSET_FROM_JSON('${json}')`)).toEqual([null]);
  });

  test("are new for every row and every call, and each one once", async () => {
    expect(
      await row(
        `SELECT COUNT(DISTINCT k), COUNTIF(k = k AND k != ${GCM}), MAX(KEYS.KEYSET_LENGTH(k)) FROM (SELECT ${GCM} AS k FROM UNNEST(GENERATE_ARRAY(1, 100)))`,
      ),
    ).toEqual([100n, 100n, 1n]);
    expect(await row(`WITH t AS (SELECT ${GCM} AS k) SELECT a.k = b.k FROM t a JOIN t b ON TRUE`)).toEqual([
      true,
    ]);
    await harness.run(`CREATE TABLE d.keysets AS SELECT n, ${SIV} AS k FROM UNNEST(GENERATE_ARRAY(1, 3)) n`);
    expect(await row("SELECT COUNT(DISTINCT k) FROM d.keysets")).toEqual([3n]);
  });

  test("are new for every row that a statement writes", async () => {
    await harness.run(`CREATE TABLE d.users AS SELECT n, CAST(NULL AS BYTES) AS k FROM UNNEST([1, 2, 3]) n`);
    await harness.run(`UPDATE d.users SET k = ${GCM} WHERE n < 3`);
    await harness.run(
      `MERGE d.users t USING UNNEST([3, 4, 5]) s ON t.n = s
       WHEN MATCHED THEN UPDATE SET k = ${GCM} WHEN NOT MATCHED THEN INSERT (n, k) VALUES (s, ${GCM})`,
    );
    await harness.run(`INSERT d.users (n, k) SELECT n, ${GCM} FROM UNNEST([6, 7]) n`);
    expect(
      await row(
        "SELECT COUNT(DISTINCT k), COUNTIF(AEAD.DECRYPT_STRING(k, AEAD.ENCRYPT(k, 'x', ''), '') = 'x') FROM d.users",
      ),
    ).toEqual([7n, 7n]);
    expect(
      await row(
        `SELECT COUNT(DISTINCT k) FROM (SELECT ARRAY_AGG(${GCM}) AS ks FROM UNNEST([1, 2, 3])), UNNEST(ks) k`,
      ),
    ).toEqual([3n]);
    expect(
      await row(
        `DECLARE k BYTES DEFAULT ${GCM}; SELECT k = k, AEAD.DECRYPT_STRING(k, AEAD.ENCRYPT(k, 'x', ''), '')`,
      ),
    ).toEqual([true, "x"]);
  });

  test("keep their old keys when a new one becomes the primary one", async () => {
    expect(
      await row(`
        WITH old AS (SELECT ${GCM} AS k), both AS (
          SELECT k, AEAD.ENCRYPT(k, 'secret', '') AS c, KEYS.ROTATE_KEYSET(k, 'AEAD_AES_GCM_256') AS rotated FROM old)
        SELECT KEYS.KEYSET_LENGTH(rotated), AEAD.DECRYPT_STRING(rotated, c, ''),
          SUBSTR(AEAD.ENCRYPT(rotated, 'x', ''), 1, 5) = SUBSTR(c, 1, 5), KEYS.KEYSET_LENGTH(KEYS.ROTATE_KEYSET(b'', 'AEAD_AES_GCM_256'))
        FROM both`),
    ).toEqual([2n, "secret", false, 1n]);
    expect(await message(`KEYS.ROTATE_KEYSET(${SIV}, 'AEAD_AES_GCM_256')`)).toMatch(
      "KEYS.ROTATE_KEYSET failed: The key type AEAD_AES_GCM_256 is not that of the keys in the keyset.",
    );
  });

  test("take keys from raw bytes", async () => {
    const added = `KEYS.ADD_KEY_FROM_RAW_BYTES(${GCM}, 'AES_GCM', b'0123456789abcdef')`;
    const json = JSON.parse(String((await row(`SELECT KEYS.KEYSET_TO_JSON(${added})`))?.[0]));
    expect(json.primaryKeyId).toBe(json.key[0].keyId);
    expect(json.key[1]).toMatchObject({ outputPrefixType: "RAW", status: "ENABLED" });
    expect(json.key[1].keyData.value).toBe("GhAwMTIzNDU2Nzg5YWJjZGVm");
    expect(await message(`KEYS.ADD_KEY_FROM_RAW_BYTES(${GCM}, 'AES_GCM', b'0')`)).toBe(
      "Failed to add a key from raw bytes: Unsupported key size: 1 bytes; expected 16 or 32 bytes.",
    );
    const refused = /^Not supported by the local BigQuery endpoint: KEYS.ADD_KEY_FROM_RAW_BYTES /;
    expect(await message(`KEYS.ADD_KEY_FROM_RAW_BYTES(b'', 'AES_GCM', b'0123456789abcdef')`)).toMatch(
      refused,
    );
    expect(await message(`SAFE.KEYS.ADD_KEY_FROM_RAW_BYTES(b'', 'AES_CBC_PKCS', b'')`)).toMatch(refused);
  });
});

describe("encryption", () => {
  test.each([
    ["AEAD.", GCM],
    ["DETERMINISTIC_", SIV],
  ])("%sENCRYPT is undone", async (name, k) => {
    const text = `${name}DECRYPT_STRING(k, ${name}ENCRYPT(k, 'жэч', 'user 1'), 'user 1')`;
    const bytes = `${name}DECRYPT_BYTES(k, ${name}ENCRYPT(k, b'\\xff', b''), b'')`;
    const nothing = `${name}ENCRYPT(k, CAST(NULL AS STRING), '')`;
    expect(await row(`SELECT ${text}, ${bytes} = b'\\xff', ${nothing} FROM (SELECT ${k} AS k)`)).toEqual([
      "жэч",
      true,
      null,
    ]);
    const sealed = `${name}DECRYPT_STRING(k, ${name}ENCRYPT(k, 'a', 'user 1'), 'user 2')`;
    expect((await harness.failure(`SELECT ${sealed} FROM (SELECT ${k} AS k)`)).message).toBe(
      `${name}DECRYPT_STRING failed: decryption failed`,
    );
    const raw = `${name}DECRYPT_STRING(k, ${name}ENCRYPT(k, b'\\xff', b''), '')`;
    expect((await harness.failure(`SELECT ${raw} FROM (SELECT ${k} AS k)`)).message).toBe(
      `${name}DECRYPT_STRING failed: Decrypted plaintext is not a valid UTF-8 string. To decrypt to BYTES, use ${name}DECRYPT_BYTES`,
    );
    expect(await row(`SELECT SAFE.${raw}, SAFE.${name}ENCRYPT(b'', '', '') FROM (SELECT ${k} AS k)`)).toEqual(
      [null, null],
    );
  });

  test("is new at every call, and deterministic only where it is called so", async () => {
    expect(
      await row(
        `SELECT AEAD.ENCRYPT(g, 'a', '') = AEAD.ENCRYPT(g, 'a', ''), DETERMINISTIC_ENCRYPT(s, 'a', '') = DETERMINISTIC_ENCRYPT(s, 'a', ''), COUNT(*) FROM (SELECT ${GCM} AS g, ${SIV} AS s) GROUP BY 1, 2`,
      ),
    ).toEqual([false, true, 1n]);
  });

  // Test case 16 of the GCM specification, after Tink's prefix: a 1 and the key's number.
  test("reads what others have made with AES-GCM", async () => {
    const bytes = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
    const sealed =
      "cafebabefacedbaddecaf888522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b";
    const plain =
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
    const data = "FROM_HEX('feedfacedeadbeeffeedfacedeadbeefabaddad2')";
    const key = (prefix: string, status?: string) =>
      keyset(
        7,
        keyJson("AesGcmKey", keyValue(3, "00".repeat(16)), 7),
        keyJson("AesGcmKey", keyValue(3, bytes), 0x01020304, prefix, status),
      );
    const open = (prefix: string, given: string, status?: string) =>
      `TO_HEX(SAFE.AEAD.DECRYPT_BYTES(${key(prefix, status)}, FROM_HEX('${given}'), ${data}))`;
    expect(
      await row(
        `SELECT ${open("TINK", `0101020304${sealed}`)}, ${open("CRUNCHY", `0001020304${sealed}`)}, ${open("RAW", sealed)}, ${open("TINK", sealed)}, ${open("TINK", `0101020305${sealed}`)}, ${open("TINK", `0101020304${sealed}`, "DISABLED")}`,
      ),
    ).toEqual([plain, plain, plain, null, null, null]);
  });

  // After Tink's prefix, what the AESSIV of Python's cryptography 48 gives for the key 00 01 … 3f.
  test.each([
    ["plaintext", "user 1", "cfae68de080e0195dc1ca592213f3c86da4aa7a688cc58d64c"],
    [
      "a text of more than sixteen bytes",
      "",
      "89d9f4bf51b4b253592db8200fce7a53444f0d1cdd9505f41ece32f996b975b47993fc31a1001a4550aa12a7685dc98eef",
    ],
  ])("makes of %j with AES-SIV what others make", async (plaintext, data, sealed) => {
    const bytes = Array.from({ length: 64 }, (_, index) => index);
    const key = keyJson("AesSivKey", keyValue(2, Buffer.from(bytes).toString("hex")), 0x01020304);
    const made = `DETERMINISTIC_ENCRYPT(${keyset(0x01020304, key)}, '${plaintext}', '${data}')`;
    expect(await row(`SELECT TO_HEX(${made})`)).toEqual([`0101020304${sealed}`]);
  });

  test.each([
    ["b''", "Creation of AEAD primitive failed: A valid keyset must contain at least one key."],
    [
      "b'123'",
      "Keyset deserialization failed: Error reading keyset data: Could not parse the input stream as a Keyset-proto.",
    ],
    [
      keyset(2, keyJson("AesGcmKey", keyValue(3, "00".repeat(16)), 1)),
      "Creation of AEAD primitive failed: keyset doesn't contain a valid primary key.",
    ],
    [
      keyset(1, keyJson("AesGcmKey", keyValue(3, "00".repeat(15)), 1)),
      "Creation of AEAD primitive failed: key 1 is no key of the type type.googleapis.com/google.crypto.tink.AesGcmKey.",
    ],
    [
      keyset(1, keyJson("AesGcmKey", keyValue(3, "00".repeat(16)), 1, "UNKNOWN_PREFIX")),
      "Creation of AEAD primitive failed: key 1 has unknown prefix.",
    ],
  ])("does nothing with %s", async (bad, why) => {
    expect(await message(`AEAD.ENCRYPT(${bad}, 'a', 'b')`)).toBe(`AEAD.ENCRYPT failed: ${why}`);
  });

  test("keysets of BigQuery with keys that only BigQuery can read are refused, with SAFE too", async () => {
    const gcm = keyJson("AesGcmKey", keyValue(3, "00".repeat(16)), 1);
    const both = keyset(1, gcm, keyJson("AesCbcPkcs7Key", keyValue(1, "00"), 2, "RAW"));
    const refused =
      "Not supported by the local BigQuery endpoint: keysets with keys of the type AES_CBC_PKCS";
    for (const safe of ["", "SAFE."]) {
      expect(await message(`${safe}AEAD.ENCRYPT(${both}, 'a', '')`)).toBe(refused);
      expect(await message(`${safe}AEAD.DECRYPT_STRING(${both}, b'a', '')`)).toBe(refused);
    }
  });

  test("a user whose keyset is gone cannot be read any more", async () => {
    await harness.run(`CREATE TABLE d.keys AS SELECT id, ${GCM} AS k FROM UNNEST(['a', 'b']) id`);
    await harness.run(
      "CREATE TABLE d.sealed AS SELECT id, AEAD.ENCRYPT(k, CONCAT('name of ', id), id) AS name FROM d.keys",
    );
    const read =
      "SELECT id, AEAD.DECRYPT_STRING((SELECT k FROM d.keys WHERE keys.id = sealed.id), name, id) FROM d.sealed ORDER BY id";
    expect(await harness.rows(read)).toEqual([
      ["a", "name of a"],
      ["b", "name of b"],
    ]);
    await harness.run("DELETE FROM d.keys WHERE id = 'a'");
    expect(await harness.rows(read)).toEqual([
      ["a", null],
      ["b", "name of b"],
    ]);
  });
});
