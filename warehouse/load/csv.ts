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

type State = "start" | "plain" | "quoted" | "quote";

/** The records of a CSV file as RFC 4180 writes them: commas, double quotes, line breaks within quotes. */
export async function* readCsv(file: string): AsyncGenerator<CsvRecord> {
  let state: State = "start";
  let cells: Cell[] = [];
  let text = "";
  let line = 1;
  let recordLine = 1;
  let quoteLine = 1;

  const endCell = (): void => {
    cells.push({ text, quoted: state === "quote" });
    text = "";
    state = "start";
  };
  const endRecord = (): CsvRecord | undefined => {
    if (state === "plain" && text.endsWith("\r")) text = text.slice(0, -1);
    const isBlank = cells.length === 0 && text === "" && state !== "quote";
    endCell();
    const record = { line: recordLine, cells };
    cells = [];
    recordLine = line;
    return isBlank ? undefined : record;
  };

  for await (const piece of readText(file)) {
    for (const character of piece) {
      if (character === "\n") line++;
      if (state === "quoted") {
        if (character === '"') state = "quote";
        else text += character;
      } else if (state === "quote" && character === '"') {
        text += '"';
        state = "quoted";
      } else if (character === ",") {
        endCell();
      } else if (character === "\n") {
        const record = endRecord();
        if (record !== undefined) yield record;
      } else if (state === "start" && character === '"') {
        state = "quoted";
        quoteLine = line;
      } else if (state === "quote") {
        if (character !== "\r") {
          throw dataError(
            { file, line },
            `column ${cells.length + 1}: text after the closing quote; write a quote within quotes as ""`,
          );
        }
      } else {
        text += character;
        state = "plain";
      }
    }
  }
  if (state === "quoted") {
    throw dataError(
      { file, line: quoteLine },
      `column ${cells.length + 1}: the quote that opens here is never closed`,
    );
  }
  if (state !== "start" || cells.length > 0) {
    const record = endRecord();
    if (record !== undefined) yield record;
  }
}
