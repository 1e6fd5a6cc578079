import { describe, expect, it } from "vitest";
import { boundaryOf, readMultipart } from "../../../src/routes/multipart.ts";

async function* pieces(body: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(body);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(body: string, size: number): Promise<{ metadata: string; data: string }> {
  const parts: Buffer[] = [];
  let metadata = "";
  await readMultipart(pieces(body, size), "xyz", {
    metadata: (text) => {
      metadata = text;
    },
    data: async (chunk) => {
      parts.push(Buffer.from(chunk));
    },
  });
  return { metadata, data: Buffer.concat(parts).toString() };
}

const HEAD = "--xyz\r\nContent-Type: application/json\r\n\r\n";
const MIDDLE = "\r\n--xyz\r\nContent-Type: application/octet-stream\r\n\r\n";
const END = "\r\n--xyz--\r\n";

describe("readMultipart", () => {
  // Every size of piece cuts the delimiters elsewhere.
  const sizes = [1, 2, 3, 7, 16, 1000];
  const datas = ["", "a", '{"a":1}\n{"a":2}\n', "\r\n", "a\r\n--xy\r\nb", "\r\n\r\n--", "ä\u0000\r"];
  for (const size of sizes) {
    it.each(datas)(`reads the data %j in pieces of ${size} bytes`, async (data) => {
      const body = `${HEAD}{"a": true}${MIDDLE}${data}${END}`;
      expect(await read(body, size)).toEqual({ metadata: '{"a": true}', data });
    });
  }

  it("skips a preamble and the epilogue", async () => {
    const body = `hello\r\n${HEAD}{}${MIDDLE}x${END}bye`;
    expect(await read(body, 5)).toEqual({ metadata: "{}", data: "x" });
  });

  it("takes a body whose last boundary has no line end (the Node client's)", async () => {
    expect(await read(`${HEAD}{}${MIDDLE}x\r\n--xyz--`, 4)).toEqual({ metadata: "{}", data: "x" });
  });

  it.each([
    ["no boundary at all", "just text"],
    ["cut in the data", `${HEAD}{}${MIDDLE}x`],
    ["cut in the metadata", `${HEAD}{`],
    ["one part only", `${HEAD}{}\r\n--xyz--\r\n`],
  ])("refuses a body that is %s", async (_what, body) => {
    await expect(read(body, 10)).rejects.toThrow("Malformed multipart body");
  });
});

describe("boundaryOf", () => {
  it.each([
    ["multipart/related; boundary=abc", "abc"],
    ['multipart/related; boundary="===a b=="', "===a b=="],
    ["Multipart/Related; charset=utf-8; boundary=abc; x=1", "abc"],
  ])("%s", (header, boundary) => {
    expect(boundaryOf(header)).toBe(boundary);
  });

  it.each([undefined, "application/json", "multipart/related"])("refuses %s", (header) => {
    expect(() => boundaryOf(header)).toThrow("boundary");
  });
});
