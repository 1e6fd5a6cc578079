import { dataError, readText } from "./text.ts";

/** One cell of a CSV record; a quoted cell is a text even where it is empty. */
export interface Cell {
  readonly text: string;
  readonly quoted: boolean;
}

/** One record of a CSV file and the line it begins at. */
export interface CsvRecord {
  readonly line: number;
  readonly cells: readonly Cell[];
}

/** The records of a CSV file as RFC 4180 writes them: commas, double quotes, line breaks within quotes. */
export async function* readCsv(file: string): AsyncGenerator<CsvRecord> {
  const reader = new CsvReader(file);
  for await (const piece of readText(file)) yield* reader.read(piece);
  yield* reader.end();
}

/** Reads pieces of a CSV file, which may end anywhere, and gives out each record as it ends. */
class CsvReader {
  readonly #file: string;
  /** Where the next character stands: at a cell's start, in a bare cell, in quotes, or after a quote that may close. */
  #state: "start" | "bare" | "quoted" | "quote" = "start";
  #text = "";
  #cells: Cell[] = [];
  #line = 1;
  #recordLine = 1;
  #quoteLine = 1;

  constructor(file: string) {
    this.#file = file;
  }

  *read(piece: string): Generator<CsvRecord> {
    let at = 0;
    while (at < piece.length) {
      const end = this.#state === "quoted" ? indexOrEnd(piece, '"', at) : nextMark(piece, at);
      if (end > at) {
        this.#take(piece.slice(at, end));
        at = end;
        continue;
      }
      const record = this.#mark(piece[at]);
      at++;
      if (record !== undefined) yield record;
    }
  }

  *end(): Generator<CsvRecord> {
    if (this.#state === "quoted")
      throw this.#fault(this.#quoteLine, "the quote that opens here is never closed");
    if (this.#state === "start" && this.#cells.length === 0) return;
    const record = this.#endRecord();
    if (record !== undefined) yield record;
  }

  /** Text without a mark. */
  #take(text: string): void {
    if (this.#state === "quote") {
      if (text === "\r") return;
      throw this.#fault(this.#line, 'text after the closing quote; write a quote within quotes as ""');
    }
    if (this.#state === "quoted") this.#line += text.split("\n").length - 1;
    else this.#state = "bare";
    this.#text += text;
  }

  /** A comma, a quote or a line end. */
  #mark(character: string | undefined): CsvRecord | undefined {
    if (character === '"') this.#quote();
    else if (character === ",") this.#endCell();
    else {
      this.#line++;
      return this.#endRecord();
    }
    return undefined;
  }

  #quote(): void {
    if (this.#state === "quoted") this.#state = "quote";
    else if (this.#state === "bare") this.#text += '"';
    else {
      if (this.#state === "quote") this.#text += '"';
      else this.#quoteLine = this.#line;
      this.#state = "quoted";
    }
  }

  #endCell(): void {
    this.#cells.push({ text: this.#text, quoted: this.#state === "quote" });
    this.#text = "";
    this.#state = "start";
  }

  /** The record that ends here; a blank line is none. */
  #endRecord(): CsvRecord | undefined {
    if (this.#state === "bare" && this.#text.endsWith("\r")) this.#text = this.#text.slice(0, -1);
    const isBlank = this.#cells.length === 0 && this.#text === "" && this.#state !== "quote";
    this.#endCell();
    const record = { line: this.#recordLine, cells: this.#cells };
    this.#cells = [];
    this.#recordLine = this.#line;
    return isBlank ? undefined : record;
  }

  #fault(line: number, message: string): Error {
    return dataError({ file: this.#file, line }, `column ${this.#cells.length + 1}: ${message}`);
  }
}

function nextMark(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x2c || code === 0x22 || code === 0x0a) return at;
  }
  return text.length;
}

function indexOrEnd(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at === -1 ? text.length : at;
}
