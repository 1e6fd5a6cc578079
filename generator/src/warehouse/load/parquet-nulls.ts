import { type FileHandle, open } from "node:fs/promises";
import type { ColumnMetaData, FileMetaData, PageHeader, SchemaTree } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { decompressPage } from "hyparquet/src/datapage.js";
import { readRleBitPackedHybrid } from "hyparquet/src/encoding.js";
import { compressors } from "hyparquet-compressors";
import { elementOf, isList } from "./parquet-fields.ts";

/** Where a Parquet file holds a NULL; rows count from 1. */
export interface FoundNull {
  readonly row: number;
  /** `tags[2]`, `orders[1].codes[1]`, or a column's name. */
  readonly path: string;
}

/** A file that is looked through. */
interface Source {
  readonly file: string;
  readonly metadata: FileMetaData;
  /** Stops it. */
  readonly signal: AbortSignal | undefined;
}

/**
 * A kind of NULL, as Parquet writes it: the level down to which a value is defined. The levels stand apart from the values, so that
 * these are never read: https://parquet.apache.org/docs/file-format/nestedencoding/
 */
interface Sought {
  /** How deep the value is defined where the NULL is. */
  readonly level: number;
  /** The place's name: texts, and for a number that list's index, the outermost being 1. */
  readonly path: readonly (string | number)[];
  /** Some column of values at or below the place, any of which tells. */
  readonly leaf: Leaf;
}

/** A column of values, with the greatest levels that it has. */
interface Leaf {
  readonly column: string;
  readonly definition: number;
  readonly repetition: number;
}

/** The first NULL within a list of this column of the table's, whose lists BigQuery's arrays cannot be made of. */
export async function findNullInLists(
  source: Source,
  column: SchemaTree,
  name: string,
): Promise<FoundNull | undefined> {
  for (const sought of nullElements(column, [name], levelsOf(column))) {
    const found = await find(source, sought);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first row without a value of this column. */
export async function findMissing(
  source: Source,
  column: SchemaTree,
  name: string,
): Promise<FoundNull | undefined> {
  if (column.element.repetition_type === "REQUIRED") return undefined;
  return find(source, { level: 0, path: [name], leaf: leafOf(column, levelsOf(column)) });
}

type Levels = Omit<Leaf, "column">;

/** The levels of a node below one that has `above`. */
function levelsOf({ element }: SchemaTree, above: Levels = { definition: 0, repetition: 0 }): Levels {
  return {
    definition: above.definition + (element.repetition_type === "REQUIRED" ? 0 : 1),
    repetition: above.repetition + (element.repetition_type === "REPEATED" ? 1 : 0),
  };
}

function leafOf(node: SchemaTree, levels: Levels): Leaf {
  const child = node.children[0];
  return child === undefined
    ? { column: node.path.join("."), ...levels }
    : leafOf(child, levelsOf(child, levels));
}

/** The NULLs that elements of the lists in this node may be, outer lists first. */
function nullElements(node: SchemaTree, path: Sought["path"], levels: Levels): readonly Sought[] {
  const repeated = node.children[0];
  if (!isList(node) || repeated === undefined)
    return node.children.flatMap((child) =>
      nullElements(child, [...path, `.${child.element.name}`], levelsOf(child, levels)),
    );
  const element = elementOf(node);
  const place = levelsOf(repeated, levels);
  const inside = element === repeated ? place : levelsOf(element, place);
  const placePath = [...path, place.repetition];
  const own =
    inside.definition > place.definition
      ? [{ level: place.definition, path: placePath, leaf: leafOf(element, inside) }]
      : [];
  return [...own, ...nullElements(element, placePath, inside)];
}

/** Reads the levels of one column of values, a page at a time; of no row group whose statistics say that it holds no NULL. */
async function find(
  { file, metadata: { row_groups }, signal }: Source,
  { level, path, leaf }: Sought,
): Promise<FoundNull | undefined> {
  const handle = await open(file);
  try {
    let rowsBefore = 0;
    for (const { columns, num_rows } of row_groups) {
      const chunk = columns.find(({ meta_data }) => meta_data?.path_in_schema.join(".") === leaf.column);
      const metadata = chunk?.meta_data;
      if (metadata === undefined) throw new Error(`no column ${leaf.column} in a row group`);
      let row = rowsBefore;
      // By the depth of the list: which element of it this is.
      const indexes = new Uint32Array(leaf.repetition + 1);
      if (metadata.statistics?.null_count !== 0n)
        for await (const { repetitions, definitions } of levelsIn(handle, metadata, leaf)) {
          signal?.throwIfAborted();
          for (const [index, definition] of definitions.entries()) {
            const repetition = repetitions[index] ?? 0;
            if (repetition === 0) row++;
            else indexes[repetition] = (indexes[repetition] ?? 0) + 1;
            indexes.fill(0, repetition + 1);
            if (definition === level) return { row, path: nameOf(path, indexes) };
          }
        }
      rowsBefore += Number(num_rows);
    }
  } finally {
    await handle.close();
  }
  return undefined;
}

function nameOf(path: Sought["path"], indexes: Uint32Array): string {
  return path.map((part) => (typeof part === "number" ? `[${indexes[part]}]` : part)).join("");
}

/** The levels of a page, one of each an element; without repetitions where there is no list. */
interface PageLevels {
  readonly repetitions: Uint8Array;
  readonly definitions: Uint8Array;
}

/** As much as most headers of pages need, statistics and all. */
const HEADER_BYTES = 4096;

/** The levels of one column of one row group, page by page. */
async function* levelsIn(
  file: FileHandle,
  metadata: ColumnMetaData,
  leaf: Leaf,
): AsyncGenerator<PageLevels, void, void> {
  let offset = Number(metadata.dictionary_page_offset || metadata.data_page_offset);
  const end = offset + Number(metadata.total_compressed_size);
  while (offset < end) {
    const { header, bytes } = await readHeader(file, offset, end);
    const page = offset + bytes;
    offset = page + header.compressed_page_size;
    const { data_page_header, data_page_header_v2 } = header;
    if (data_page_header_v2 !== undefined) {
      const { repetition_levels_byte_length: first, definition_levels_byte_length: second } =
        data_page_header_v2;
      const levels = await read(file, page, first + second);
      const count = data_page_header_v2.num_values;
      yield {
        repetitions: readLevels(readerOf(levels), leaf.repetition, count, first),
        definitions: readLevels(readerOf(levels.subarray(first)), leaf.definition, count, second),
      };
    } else if (data_page_header !== undefined) {
      const packed = await read(file, page, header.compressed_page_size);
      const size = Number(header.uncompressed_page_size);
      const reader = readerOf(decompressPage(packed, size, metadata.codec, compressors));
      const count = data_page_header.num_values;
      yield {
        repetitions: readLevels(reader, leaf.repetition, count),
        definitions: readLevels(reader, leaf.definition, count),
      };
    }
  }
}

/** The header of a page, whose length nothing tells before it is read. */
async function readHeader(
  file: FileHandle,
  offset: number,
  end: number,
  size = HEADER_BYTES,
): Promise<{ header: PageHeader; bytes: number }> {
  const reader = readerOf(await read(file, offset, Math.min(size, end - offset)));
  try {
    const header = parquetHeader(reader);
    return { header, bytes: reader.offset };
  } catch (error) {
    if (offset + size >= end) throw error;
    return readHeader(file, offset, end, size * 16);
  }
}

/** Reads the levels of a page, which stand in as few bits as their greatest needs; `length` where the page does not say it. */
function readLevels(
  reader: { view: DataView; offset: number },
  greatest: number,
  count: number,
  length?: number,
): Uint8Array {
  const levels = new Uint8Array(greatest === 0 ? 0 : count);
  if (greatest > 0) readRleBitPackedHybrid(reader, 32 - Math.clz32(greatest), levels, length);
  return levels;
}

function readerOf(bytes: Uint8Array): { view: DataView; offset: number } {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
}

async function read(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw new Error("the file ends within a page");
    done += bytesRead;
  }
  return bytes;
}
