import com.google.cloud.NoCredentials;
import com.google.cloud.RetryOption;
import com.google.cloud.bigquery.Acl;
import com.google.cloud.bigquery.BigQuery;
import com.google.cloud.bigquery.BigQueryException;
import com.google.cloud.bigquery.BigQueryOptions;
import com.google.cloud.bigquery.Clustering;
import com.google.cloud.bigquery.ConnectionProperty;
import com.google.cloud.bigquery.ConnectionSettings;
import com.google.cloud.bigquery.CopyJobConfiguration;
import com.google.cloud.bigquery.CsvOptions;
import com.google.cloud.bigquery.Dataset;
import com.google.cloud.bigquery.DatasetInfo;
import com.google.cloud.bigquery.Field;
import com.google.cloud.bigquery.FieldValue;
import com.google.cloud.bigquery.FieldValueList;
import com.google.cloud.bigquery.FormatOptions;
import com.google.cloud.bigquery.InsertAllRequest;
import com.google.cloud.bigquery.Job;
import com.google.cloud.bigquery.JobId;
import com.google.cloud.bigquery.JobInfo;
import com.google.cloud.bigquery.JobStatistics;
import com.google.cloud.bigquery.PrimaryKey;
import com.google.cloud.bigquery.QueryJobConfiguration;
import com.google.cloud.bigquery.QueryParameterValue;
import com.google.cloud.bigquery.Routine;
import com.google.cloud.bigquery.RoutineArgument;
import com.google.cloud.bigquery.RoutineId;
import com.google.cloud.bigquery.RoutineInfo;
import com.google.cloud.bigquery.Schema;
import com.google.cloud.bigquery.SnapshotTableDefinition;
import com.google.cloud.bigquery.StandardSQLDataType;
import com.google.cloud.bigquery.StandardSQLTypeName;
import com.google.cloud.bigquery.StandardTableDefinition;
import com.google.cloud.bigquery.Table;
import com.google.cloud.bigquery.TableConstraints;
import com.google.cloud.bigquery.TableDataWriteChannel;
import com.google.cloud.bigquery.TableDefinition;
import com.google.cloud.bigquery.TableId;
import com.google.cloud.bigquery.TableInfo;
import com.google.cloud.bigquery.TableResult;
import com.google.cloud.bigquery.TimePartitioning;
import com.google.cloud.bigquery.ViewDefinition;
import com.google.cloud.bigquery.WriteChannelConfiguration;
import com.google.gson.JsonObject;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The Java client against the endpoint; prints one JSON line for each case. */
public class Client {
  private interface Work {
    void run() throws Exception;
  }

  private static BigQuery bigquery;
  private static String dataset;

  private static void equal(Object got, Object want) {
    if (!Objects.deepEquals(got, want)) throw new AssertionError("got " + got + ", want " + want);
  }

  /** The error of work that should fail, with the error's reason and a part of its message. */
  private static void fails(String reason, String text, Work work) throws Exception {
    try {
      work.run();
    } catch (BigQueryException error) {
      String got = error.getError() == null ? error.getReason() : error.getError().getReason();
      if (Objects.equals(got, reason) && error.getMessage().contains(text)) return;
      throw new AssertionError("got " + got + " " + error, error);
    }
    throw new AssertionError("did not fail with " + reason + " " + text);
  }

  private static QueryJobConfiguration.Builder sql(String query) {
    return QueryJobConfiguration.newBuilder(query).setDefaultDataset(dataset);
  }

  private static List<FieldValueList> query(String query) throws Exception {
    return rows(bigquery.query(sql(query).build()));
  }

  private static List<FieldValueList> rows(TableResult result) {
    List<FieldValueList> rows = new ArrayList<>();
    result.iterateAll().forEach(rows::add);
    return rows;
  }

  /** The values of rows as texts. */
  private static List<List<Object>> texts(Iterable<FieldValueList> rows) {
    List<List<Object>> all = new ArrayList<>();
    for (FieldValueList row : rows) {
      List<Object> values = new ArrayList<>();
      for (FieldValue value : row) values.add(value.getValue());
      all.add(values);
    }
    return all;
  }

  private static TableId table(String name) {
    return TableId.of(dataset, name);
  }

  /** The job, once it has ended well. */
  private static Job finished(Job job) throws Exception {
    Job done = job.waitFor(RetryOption.initialRetryDelayDuration(java.time.Duration.ofMillis(50)));
    if (done.getStatus().getError() != null) throw new BigQueryException(List.of(done.getStatus().getError()));
    return done;
  }

  private static Job run(QueryJobConfiguration configuration) throws Exception {
    return finished(bigquery.create(JobInfo.of(configuration)));
  }

  static void datasets() throws Exception {
    String name = dataset + "_more";
    DatasetInfo info = DatasetInfo.newBuilder(name).setLocation("EU").setLabels(Map.of("a", "b")).build();
    bigquery.create(info);
    fails("duplicate", "Already Exists", () -> bigquery.create(info));
    Dataset got = bigquery.getDataset(name);
    equal(got.getLocation(), "EU");
    List<Acl> access = new ArrayList<>(got.getAcl());
    access.add(Acl.of(new Acl.User("somebody@example.com"), Acl.Role.READER));
    Dataset changed = got.toBuilder().setDescription("described").setAcl(access).build().update();
    equal(changed.getDescription(), "described");
    equal(changed.getAcl().size(), access.size());
    equal(changed.getLabels(), Map.of("a", "b"));
    boolean found = false;
    for (Dataset each : bigquery.listDatasets().iterateAll()) found |= each.getDatasetId().getDataset().equals(name);
    equal(found, true);
    bigquery.create(TableInfo.of(TableId.of(name, "t"), StandardTableDefinition.of(Schema.of())));
    fails("resourceInUse", "still in use", () -> bigquery.delete(name));
    equal(bigquery.delete(name, BigQuery.DatasetDeleteOption.deleteContents()), true);
    equal(bigquery.delete(name), false);
    equal(bigquery.getDataset(name), null);
  }

  static void tables() throws Exception {
    Schema schema =
        Schema.of(
            Field.newBuilder("id", StandardSQLTypeName.INT64).setMode(Field.Mode.REQUIRED).build(),
            Field.of("day", StandardSQLTypeName.DATE),
            Field.newBuilder("tags", StandardSQLTypeName.STRING).setMode(Field.Mode.REPEATED).build(),
            Field.of("r", StandardSQLTypeName.STRUCT, Field.newBuilder("x", StandardSQLTypeName.NUMERIC).setPrecision(10L).setScale(2L).build()));
    StandardTableDefinition definition =
        StandardTableDefinition.newBuilder()
            .setSchema(schema)
            .setTimePartitioning(TimePartitioning.newBuilder(TimePartitioning.Type.DAY).setField("day").setExpirationMs(7_776_000_000L).build())
            .setClustering(Clustering.newBuilder().setFields(List.of("id")).build())
            .setTableConstraints(TableConstraints.newBuilder().setPrimaryKey(PrimaryKey.newBuilder().setColumns(List.of("id")).build()).build())
            .build();
    TableInfo info = TableInfo.newBuilder(table("shape"), definition).setLabels(Map.of("a", "b")).build();
    bigquery.create(info);
    fails("duplicate", "Already Exists: Table", () -> bigquery.create(info));
    Table got = bigquery.getTable(table("shape"));
    StandardTableDefinition shown = got.getDefinition();
    equal(shown.getTimePartitioning().getField(), "day");
    equal(shown.getTimePartitioning().getExpirationMs(), 7_776_000_000L);
    equal(shown.getClustering().getFields(), List.of("id"));
    equal(shown.getTableConstraints().getPrimaryKey().getColumns(), List.of("id"));
    equal(shown.getSchema().getFields().get("r").getSubFields().get(0).getPrecision(), 10L);
    List<Field> wider = new ArrayList<>(shown.getSchema().getFields());
    wider.add(Field.of("added", StandardSQLTypeName.JSON));
    Table changed = got.toBuilder().setDescription("described").setDefinition(shown.toBuilder().setSchema(Schema.of(wider)).build()).build().update();
    equal(changed.getDescription(), "described");
    equal(changed.getDefinition().getSchema().getFields().size(), 5);
    equal(bigquery.delete(table("shape")), true);
    equal(bigquery.delete(table("shape")), false);
    equal(bigquery.getTable(table("shape")), null);
  }

  static void views() throws Exception {
    bigquery.create(TableInfo.of(table("seen"), ViewDefinition.newBuilder("SELECT 1 AS one").setUseLegacySql(false).build()));
    Table view = bigquery.getTable(table("seen"));
    equal(view.getDefinition().getType(), TableDefinition.Type.VIEW);
    equal(view.getDefinition().getSchema().getFields().get(0).getName(), "one");
    equal(texts(query("SELECT * FROM seen")), List.of(List.of("1")));
    boolean found = false;
    for (Table each : bigquery.listTables(dataset).iterateAll()) found |= each.getTableId().getTable().equals("seen");
    equal(found, true);
  }

  static void values() throws Exception {
    FieldValueList row =
        query(
                """
                SELECT 9 AS i, 1.5 AS f, TRUE AS b, 'é' AS s, b'\\x00\\xff' AS y, DATE '2026-01-02' AS d,
                  DATETIME '2026-01-02 03:04:05.678' AS dt, TIME '03:04:05' AS t, TIMESTAMP '2026-01-02 03:04:05.678901 UTC' AS ts,
                  NUMERIC '1.25' AS n, BIGNUMERIC '1e-20' AS bn, JSON '{"a": [1]}' AS j, ST_GEOGPOINT(1, 2) AS g,
                  INTERVAL '1-2 -3 4:5:6.789' YEAR TO SECOND AS iv, [1, 2] AS a, STRUCT(1 AS x, [STRUCT('in' AS y)] AS z) AS st,
                  CAST(NULL AS STRING) AS nil, 9223372036854775807 AS big, CAST('-inf' AS FLOAT64) AS inf""")
            .get(0);
    equal(row.get("i").getLongValue(), 9L);
    equal(row.get("f").getDoubleValue(), 1.5);
    equal(row.get("b").getBooleanValue(), true);
    equal(row.get("s").getStringValue(), "é");
    equal(row.get("y").getBytesValue(), new byte[] {0, -1});
    equal(row.get("d").getStringValue(), "2026-01-02");
    equal(row.get("dt").getStringValue(), "2026-01-02T03:04:05.678000");
    equal(row.get("t").getStringValue(), "03:04:05");
    equal(row.get("ts").getTimestampInstant(), java.time.Instant.parse("2026-01-02T03:04:05.678901Z"));
    equal(row.get("n").getNumericValue(), new BigDecimal("1.25"));
    equal(row.get("bn").getNumericValue().compareTo(new BigDecimal("1e-20")), 0);
    equal(row.get("j").getStringValue(), "{\"a\":[1]}");
    equal(row.get("g").getStringValue(), "POINT(1 2)");
    equal(row.get("iv").getPeriodDuration().toString(), "P1Y2M-3DT4H5M6.789S");
    equal(row.get("a").getRepeatedValue().get(1).getLongValue(), 2L);
    FieldValueList struct = row.get("st").getRecordValue();
    equal(struct.get("x").getLongValue(), 1L);
    equal(struct.get("z").getRepeatedValue().get(0).getRecordValue().get(0).getStringValue(), "in");
    equal(row.get("nil").isNull(), true);
    equal(row.get("big").getLongValue(), Long.MAX_VALUE);
    equal(row.get("inf").getDoubleValue(), Double.NEGATIVE_INFINITY);
  }

  static void namedParameters() throws Exception {
    Map<String, QueryParameterValue> given = new LinkedHashMap<>();
    Map<String, Object> want = new LinkedHashMap<>();
    JsonObject json = new JsonObject();
    json.addProperty("a", 1);
    given.put("i", QueryParameterValue.int64(7L));
    want.put("i", "7");
    given.put("f", QueryParameterValue.float64(0.5));
    want.put("f", "0.5");
    given.put("b", QueryParameterValue.bool(false));
    want.put("b", "false");
    given.put("s", QueryParameterValue.string("it's"));
    want.put("s", "it's");
    given.put("y", QueryParameterValue.bytes(new byte[] {0, 120}));
    want.put("y", "AHg=");
    given.put("d", QueryParameterValue.date("2026-01-02"));
    want.put("d", "2026-01-02");
    given.put("dt", QueryParameterValue.dateTime("2026-01-02 03:04:05.000006"));
    want.put("dt", "2026-01-02T03:04:05.000006");
    given.put("t", QueryParameterValue.time("03:04:05.000000"));
    want.put("t", "03:04:05");
    given.put("ts", QueryParameterValue.timestamp("2026-01-02 03:04:05.000006+00:00"));
    given.put("ts2", QueryParameterValue.timestamp(1_767_323_045_000_006L));
    given.put("n", QueryParameterValue.numeric(new BigDecimal("1.25")));
    want.put("n", "1.25");
    given.put("bn", QueryParameterValue.bigNumeric(new BigDecimal("1e-20")));
    want.put("bn", "0.00000000000000000001");
    given.put("j", QueryParameterValue.json(json));
    want.put("j", "{\"a\":1}");
    given.put("g", QueryParameterValue.geography("POINT(1 2)"));
    want.put("g", "POINT(1 2)");
    given.put("iv", QueryParameterValue.interval("1-2 3 4:5:6"));
    want.put("iv", "1-2 3 4:5:6");
    given.put("nil", QueryParameterValue.string(null));
    want.put("nil", null);
    given.put("a", QueryParameterValue.array(new Long[] {1L, 2L}, Long.class));
    given.put("st", QueryParameterValue.struct(Map.of("x", QueryParameterValue.int64(1L))));
    String columns = String.join(", ", given.keySet().stream().map(name -> "@" + name + " AS " + name).toList());
    FieldValueList row = bigquery.query(sql("SELECT " + columns).setNamedParameters(given).build()).iterateAll().iterator().next();
    for (Map.Entry<String, Object> each : want.entrySet()) equal(row.get(each.getKey()).getValue(), each.getValue());
    equal(row.get("ts").getTimestampValue(), 1_767_323_045_000_006L);
    equal(row.get("ts2").getTimestampValue(), 1_767_323_045_000_006L);
    equal(row.get("a").getRepeatedValue().size(), 2);
    equal(row.get("st").getRecordValue().get("x").getLongValue(), 1L);
  }

  static void positionalParameters() throws Exception {
    QueryJobConfiguration configuration =
        sql("SELECT ? AS a, ARRAY_LENGTH(?) AS n")
            .addPositionalParameter(QueryParameterValue.string("x"))
            .addPositionalParameter(QueryParameterValue.array(new String[] {"a"}, String.class))
            .build();
    equal(texts(bigquery.query(configuration).iterateAll()), List.of(List.of("x", "1")));
  }

  static void errors() throws Exception {
    fails("invalidQuery", "Unrecognized name: nope at [1:8]", () -> query("SELECT nope"));
    fails("notFound", "Not found: Table", () -> query("SELECT * FROM nope"));
    fails("invalidQuery", "division by zero", () -> query("SELECT 1 / n FROM UNNEST([0]) AS n"));
    equal(bigquery.getJob(JobId.of("no_such_job")), null);
    fails("notFound", "Not found: Job", () -> bigquery.getQueryResults(JobId.of("no_such_job")));
  }

  static void pages() throws Exception {
    Job job = run(sql("SELECT n FROM UNNEST(GENERATE_ARRAY(1, 2500)) AS n ORDER BY n").build());
    TableResult first = job.getQueryResults(BigQuery.QueryResultsOption.pageSize(1000));
    equal(texts(first.getValues()).size(), 1000);
    equal(rows(first).size(), 2500);
    equal(first.getTotalRows(), 2500L);
    TableResult late = job.getQueryResults(BigQuery.QueryResultsOption.startIndex(2498));
    equal(texts(late.iterateAll()), List.of(List.of("2499"), List.of("2500")));
    equal(query("SELECT n FROM UNNEST(GENERATE_ARRAY(1, 2500)) AS n").size(), 2500);
    TableResult listed = bigquery.listTableData(((QueryJobConfiguration) job.getConfiguration()).getDestinationTable(), BigQuery.TableDataListOption.pageSize(2));
    equal(texts(listed.getValues()), List.of(List.of("1"), List.of("2")));
  }

  static void jobs() throws Exception {
    JobId id = JobId.newBuilder().setJob("java_job_" + dataset).setLocation("US").build();
    JobInfo info = JobInfo.newBuilder(sql("SELECT 1 AS n").setLabels(Map.of("suite", "java")).build()).setJobId(id).build();
    finished(bigquery.create(info));
    Job job = bigquery.getJob(id);
    QueryJobConfiguration configuration = job.getConfiguration();
    equal(configuration.getLabels(), Map.of("suite", "java"));
    equal(job.isDone(), true);
    equal(((JobStatistics.QueryStatistics) job.getStatistics()).getStatementType().toString(), "SELECT");
    // The client takes "it is there already" of its own id for an answer it had lost.
    equal(bigquery.create(info).getJobId().getJob(), id.getJob());
    boolean found = false;
    for (Job each : bigquery.listJobs(BigQuery.JobListOption.pageSize(50)).iterateAll()) found |= each.getJobId().getJob().equals(id.getJob());
    equal(found, true);
    equal(bigquery.delete(id), true);
    equal(bigquery.getJob(id), null);
  }

  static void cancel() throws Exception {
    Job job =
        bigquery.create(
            JobInfo.of(
                sql("SELECT COUNT(*) FROM UNNEST(GENERATE_ARRAY(1, 100000)) a, UNNEST(GENERATE_ARRAY(1, 1000000)) b WHERE MOD(a * b, 7) = 3")
                    .build()));
    equal(job.cancel(), true);
    try {
      finished(job);
    } catch (BigQueryException error) {
      equal(error.getMessage().contains("cancelled"), true);
      return;
    }
    throw new AssertionError("the job was not cancelled");
  }

  static void dryRun() throws Exception {
    query("CREATE TABLE sized AS SELECT 1 AS n, 'abc' AS s");
    Job job = bigquery.create(JobInfo.of(sql("SELECT n FROM sized").setDryRun(true).build()));
    JobStatistics.QueryStatistics statistics = job.getStatistics();
    equal(statistics.getTotalBytesProcessed(), 8L);
    equal(statistics.getSchema().getFields().get(0).getName(), "n");
    fails("invalidQuery", "Unrecognized name", () -> bigquery.create(JobInfo.of(sql("SELECT nope").setDryRun(true).build())));
  }

  static void changes() throws Exception {
    query("CREATE TABLE changed (k STRING, n INT64)");
    JobStatistics.QueryStatistics inserted = run(sql("INSERT changed VALUES ('a', 1), ('b', 2)").build()).getStatistics();
    equal(inserted.getNumDmlAffectedRows(), 2L);
    JobStatistics.QueryStatistics merged =
        run(sql(
                    """
                    MERGE changed t USING (SELECT 'a' k, 5 n UNION ALL SELECT 'c', 6) s ON t.k = s.k
                    WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED THEN INSERT ROW WHEN NOT MATCHED BY SOURCE THEN DELETE""")
                .build())
            .getStatistics();
    equal(merged.getDmlStats().getInsertedRowCount(), 1L);
    equal(merged.getDmlStats().getUpdatedRowCount(), 1L);
    equal(merged.getDmlStats().getDeletedRowCount(), 1L);
    JobStatistics.QueryStatistics dropped = run(sql("DROP TABLE changed").build()).getStatistics();
    equal(dropped.getDdlTargetTable().getTable(), "changed");
  }

  static void scripts() throws Exception {
    Job job = run(sql("DECLARE x INT64 DEFAULT 20; SET x = x + 1; SELECT x AS a; SELECT x * 2 AS b;").build());
    equal(texts(job.getQueryResults().iterateAll()), List.of(List.of("42")));
    Job done = bigquery.getJob(job.getJobId());
    List<Object> results = new ArrayList<>();
    long count = 0;
    for (Job child : bigquery.listJobs(BigQuery.JobListOption.parentJobId(job.getJobId().getJob())).iterateAll()) {
      count += 1;
      Job whole = bigquery.getJob(child.getJobId());
      equal(whole.getStatistics().getParentJobId(), job.getJobId().getJob());
      if (whole.getStatistics().getScriptStatistics().getEvaluationKind().equals("STATEMENT")
          && ((JobStatistics.QueryStatistics) whole.getStatistics()).getStatementType().toString().equals("SELECT")) {
        results.addAll(texts(whole.getQueryResults().iterateAll()));
      }
    }
    equal(count, done.getStatistics().getNumChildJobs());
    equal(results, List.of(List.of("42"), List.of("21")));
    fails("invalidQuery", "on purpose", () -> query("SELECT 1; SELECT ERROR('on purpose');"));
  }

  static void destinations() throws Exception {
    QueryJobConfiguration.Builder write =
        sql("SELECT 1 AS n, DATE '2026-01-02' AS day")
            .setDestinationTable(table("written"))
            .setWriteDisposition(JobInfo.WriteDisposition.WRITE_EMPTY)
            .setTimePartitioning(TimePartitioning.newBuilder(TimePartitioning.Type.DAY).setField("day").build());
    run(write.build());
    fails("duplicate", "Already Exists", () -> run(write.build()));
    write
        .setQuery("SELECT 2 AS n, DATE '2026-01-02' AS day, 'new' AS extra")
        .setWriteDisposition(JobInfo.WriteDisposition.WRITE_APPEND)
        .setSchemaUpdateOptions(List.of(JobInfo.SchemaUpdateOption.ALLOW_FIELD_ADDITION));
    run(write.build());
    StandardTableDefinition definition = bigquery.getTable(table("written")).getDefinition();
    equal(definition.getNumRows(), 2L);
    equal(definition.getSchema().getFields().size(), 3);
  }

  /** Loads bytes by the client's channel: a resumable upload. */
  private static Job load(String name, FormatOptions format, byte[] data, Schema schema, int chunk) throws Exception {
    WriteChannelConfiguration.Builder configuration =
        WriteChannelConfiguration.newBuilder(table(name), format).setWriteDisposition(JobInfo.WriteDisposition.WRITE_TRUNCATE);
    if (schema == null) configuration.setAutodetect(true);
    else configuration.setSchema(schema);
    TableDataWriteChannel writer = bigquery.writer(configuration.build());
    try (writer) {
      writer.setChunkSize(chunk);
      writer.write(ByteBuffer.wrap(data));
    }
    return finished(writer.getJob());
  }

  static void loads() throws Exception {
    Schema schema = Schema.of(Field.of("k", StandardSQLTypeName.STRING), Field.of("n", StandardSQLTypeName.INT64));
    byte[] csv = "k,n\na,1\n\"b \"\"q\"\"\",2\n".getBytes(StandardCharsets.UTF_8);
    Job small = load("loaded", CsvOptions.newBuilder().setSkipLeadingRows(1).build(), csv, schema, 1 << 20);
    equal(((JobStatistics.LoadStatistics) small.getStatistics()).getOutputRows(), 2L);
    StringBuilder lines = new StringBuilder();
    for (int n = 0; n < 60_000; n++) lines.append("{\"k\": \"key-").append(n).append("\", \"n\": ").append(n).append("}\n");
    // Several chunks.
    Job large = load("loaded", FormatOptions.json(), lines.toString().getBytes(StandardCharsets.UTF_8), schema, 1 << 18);
    equal(((JobStatistics.LoadStatistics) large.getStatistics()).getOutputRows(), 60_000L);
    fails("invalid", "", () -> load("loaded", FormatOptions.json(), "{\"n\": \"x\"}\n".getBytes(StandardCharsets.UTF_8), schema, 1 << 18));
    equal(((StandardTableDefinition) bigquery.getTable(table("loaded")).getDefinition()).getNumRows(), 60_000L);
    load("detected", FormatOptions.csv(), "id,price,day\n1,2.5,2026-01-02\n".getBytes(StandardCharsets.UTF_8), null, 1 << 18);
    List<String> types = new ArrayList<>();
    for (Field field : bigquery.getTable(table("detected")).getDefinition().getSchema().getFields()) types.add(field.getType().getStandardType().name());
    equal(types, List.of("INT64", "FLOAT64", "DATE"));
  }

  static void inserts() throws Exception {
    Schema schema = Schema.of(Field.of("k", StandardSQLTypeName.STRING), Field.of("n", StandardSQLTypeName.INT64));
    Table made = bigquery.create(TableInfo.of(table("streamed"), StandardTableDefinition.of(schema)));
    equal(made.insert(List.of(InsertAllRequest.RowToInsert.of("id1", Map.of("k", "a", "n", 1)))).hasErrors(), false);
    var answer =
        bigquery.insertAll(
            InsertAllRequest.newBuilder(table("streamed")).addRow(Map.of("k", "b")).addRow(Map.of("n", "x")).setSkipInvalidRows(true).build());
    equal(answer.getInsertErrors().keySet(), java.util.Set.of(1L));
    equal(answer.getErrorsFor(1).get(0).getReason(), "invalid");
    TableResult all = bigquery.listTableData(table("streamed"), schema);
    List<Object> keys = new ArrayList<>();
    for (FieldValueList row : all.iterateAll()) keys.add(row.get("k").getValue());
    equal(keys, List.of("a", "b"));
  }

  static void copies() throws Exception {
    query("CREATE TABLE from_one AS SELECT 1 AS n");
    query("CREATE TABLE from_two AS SELECT 2 AS n");
    CopyJobConfiguration copy = CopyJobConfiguration.of(table("copied"), List.of(table("from_one"), table("from_two")));
    finished(bigquery.create(JobInfo.of(copy)));
    equal(((StandardTableDefinition) bigquery.getTable(table("copied")).getDefinition()).getNumRows(), 2L);
    CopyJobConfiguration again = copy.toBuilder().setWriteDisposition(JobInfo.WriteDisposition.WRITE_EMPTY).build();
    fails("duplicate", "Already Exists", () -> finished(bigquery.create(JobInfo.of(again))));
    CopyJobConfiguration snapshot = CopyJobConfiguration.newBuilder(table("kept"), table("copied")).setOperationType("SNAPSHOT").build();
    finished(bigquery.create(JobInfo.of(snapshot)));
    SnapshotTableDefinition kept = bigquery.getTable(table("kept")).getDefinition();
    equal(kept.getBaseTableId().getTable(), "copied");
  }

  static void routines() throws Exception {
    RoutineId id = RoutineId.of(dataset, "scaled");
    StandardSQLDataType int64 = StandardSQLDataType.newBuilder("INT64").build();
    RoutineInfo info =
        RoutineInfo.newBuilder(id)
            .setRoutineType("SCALAR_FUNCTION")
            .setLanguage("SQL")
            .setArguments(List.of(RoutineArgument.newBuilder().setName("x").setDataType(int64).build()))
            .setBody("x * 2")
            .build();
    bigquery.create(info);
    fails("duplicate", "Already Exists", () -> bigquery.create(info));
    equal(texts(query("SELECT scaled(4)")), List.of(List.of("8")));
    Routine got = bigquery.getRoutine(id);
    got.toBuilder().setBody("x * 3").build().update();
    equal(texts(query("SELECT scaled(4)")), List.of(List.of("12")));
    equal(bigquery.listRoutines(dataset).iterateAll().iterator().next().getRoutineId().getRoutine(), "scaled");
    equal(bigquery.delete(id), true);
    equal(bigquery.getRoutine(id), null);
  }

  static void sessions() throws Exception {
    Job first = run(sql("CREATE TEMP TABLE kept_here AS SELECT 5 AS n").setCreateSession(true).build());
    String id = first.getStatistics().getSessionInfo().getSessionId();
    QueryJobConfiguration within = sql("SELECT n FROM kept_here").setConnectionProperties(List.of(ConnectionProperty.of("session_id", id))).build();
    equal(texts(bigquery.query(within).iterateAll()), List.of(List.of("5")));
  }

  /** What the JDBC-like interface reads, without the Storage Read API. */
  static void connections() throws Exception {
    ConnectionSettings settings = ConnectionSettings.newBuilder().setUseReadAPI(false).setDefaultDataset(com.google.cloud.bigquery.DatasetId.of(dataset)).build();
    var result = bigquery.createConnection(settings).executeSelect("SELECT n, CAST(n AS STRING) AS s FROM UNNEST(GENERATE_ARRAY(1, 3)) AS n ORDER BY n");
    long sum = 0;
    while (result.getResultSet().next()) sum += result.getResultSet().getLong("n");
    equal(sum, 6L);
  }

  static void partitions() throws Exception {
    query("CREATE TABLE parts PARTITION BY day AS SELECT n, DATE '2026-01-01' + n AS day FROM UNNEST([0, 1]) AS n");
    equal(bigquery.listPartitions(table("parts")), List.of("20260101", "20260102"));
    query("CREATE TABLE other (n INT64, day DATE) PARTITION BY day");
    finished(bigquery.create(JobInfo.of(CopyJobConfiguration.of(table("other$20260102"), table("parts$20260102")))));
    equal(texts(query("SELECT n FROM other")), List.of(List.of("1")));
  }

  static void access() throws Exception {
    equal(bigquery.testIamPermissions(table("streamed"), List.of("bigquery.tables.get")), List.of("bigquery.tables.get"));
  }

  public static void main(String[] args) throws Exception {
    dataset = args[2];
    bigquery = BigQueryOptions.newBuilder().setHost(args[0]).setProjectId(args[1]).setCredentials(NoCredentials.getInstance()).build().getService();
    bigquery.create(DatasetInfo.of(dataset));
    Map<String, Work> cases = new LinkedHashMap<>();
    cases.put("datasets", Client::datasets);
    cases.put("tables", Client::tables);
    cases.put("views", Client::views);
    cases.put("values", Client::values);
    cases.put("named parameters", Client::namedParameters);
    cases.put("positional parameters", Client::positionalParameters);
    cases.put("errors", Client::errors);
    cases.put("pages", Client::pages);
    cases.put("jobs", Client::jobs);
    cases.put("cancel", Client::cancel);
    cases.put("dry run", Client::dryRun);
    cases.put("changes", Client::changes);
    cases.put("scripts", Client::scripts);
    cases.put("destinations", Client::destinations);
    cases.put("loads", Client::loads);
    cases.put("inserts", Client::inserts);
    cases.put("copies", Client::copies);
    cases.put("routines", Client::routines);
    cases.put("sessions", Client::sessions);
    cases.put("connections", Client::connections);
    cases.put("partitions", Client::partitions);
    cases.put("access", Client::access);
    for (Map.Entry<String, Work> each : cases.entrySet()) {
      JsonObject line = new JsonObject();
      line.addProperty("case", each.getKey());
      line.addProperty("problem", attempt(each.getValue()));
      System.out.println(line);
    }
  }

  /** What went wrong in a case; null where nothing did. */
  private static String attempt(Work work) {
    try {
      work.run();
      return null;
    } catch (Exception | AssertionError error) {
      java.io.StringWriter text = new java.io.StringWriter();
      error.printStackTrace(new java.io.PrintWriter(text));
      return text.toString();
    }
  }
}
