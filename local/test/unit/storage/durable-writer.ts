/** Loads the file `argv[3]` into table after table of the data file `argv[2]`, and prints each table's name once it is stored. */
import { TableLoader } from "../../../src/storage/load/loader.ts";
import { openStorage } from "../../../src/storage/storage.ts";

const [, , file, data] = process.argv;
const storage = await openStorage({ file });
await storage.catalog.change(async (change) => {
  const times = { creationTime: 1, lastModifiedTime: 1 };
  change.putDataset({ projectId: "p", datasetId: "d", location: "US", kept: {}, ...times });
});
const loader = new TableLoader(storage.catalog, async () => new Map());
for (;;) {
  const tableId = `t${storage.catalog.listTables("p", "d").length}`;
  const schema = { fields: [{ name: "a", type: "INT64" }] };
  const options = { sourceFormat: "NEWLINE_DELIMITED_JSON", schema };
  await loader.load({
    destinationTable: { projectId: "p", datasetId: "d", tableId },
    file: data ?? "",
    options,
  });
  process.stdout.write(`${tableId}\n`);
}
