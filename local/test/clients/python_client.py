"""The Python client against the endpoint; prints one JSON line for each case."""

import contextlib
import datetime
import decimal
import io
import json
import sys
import traceback

import pandas
from google.api_core.exceptions import BadRequest, Conflict, NotFound, PreconditionFailed
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery import dbapi
from google.cloud.bigquery.query import RangeQueryParameter

URL, PROJECT, DATASET = sys.argv[1:4]
UTC = datetime.timezone.utc

client = bigquery.Client(
    project=PROJECT,
    credentials=AnonymousCredentials(),
    client_options={"api_endpoint": URL},
)
dataset = bigquery.DatasetReference(PROJECT, DATASET)


def raises(kind, work):
    try:
        work()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


def rows_of(query, **config):
    return [dict(row.items()) for row in client.query_and_wait(query, **config)]


def case_datasets():
    name = f"{DATASET}_more"
    made = client.create_dataset(name)
    assert made.location == "US", made.location
    error = raises(Conflict, lambda: client.create_dataset(name))
    assert "Already Exists" in str(error), error
    assert client.create_dataset(name, exists_ok=True).dataset_id == name
    made = client.get_dataset(name)
    made.description = "described"
    made.labels = {"a": "b"}
    changed = client.update_dataset(made, ["description", "labels"])
    assert (changed.description, changed.labels) == ("described", {"a": "b"})
    # The client sends the etag it read; the object that was changed meanwhile is refused.
    made.description = "late"
    raises(PreconditionFailed, lambda: client.update_dataset(made, ["description"]))
    assert name in [item.dataset_id for item in client.list_datasets()]
    client.delete_dataset(name)
    raises(NotFound, lambda: client.get_dataset(name))
    raises(NotFound, lambda: client.delete_dataset(name))
    client.delete_dataset(name, not_found_ok=True)


def case_tables():
    schema = [
        bigquery.SchemaField("id", "INTEGER", mode="REQUIRED"),
        bigquery.SchemaField("tags", "STRING", mode="REPEATED"),
        bigquery.SchemaField("r", "RECORD", fields=[bigquery.SchemaField("x", "NUMERIC")]),
    ]
    table = client.create_table(bigquery.Table(dataset.table("shape"), schema=schema))
    raises(Conflict, lambda: client.create_table(table))
    table = client.get_table(table)
    assert [field.name for field in table.schema] == ["id", "tags", "r"]
    assert (table.num_rows, table.table_type, table.location) == (0, "TABLE", "US")
    table.schema = list(table.schema) + [bigquery.SchemaField("added", "DATE")]
    table.description = "described"
    table = client.update_table(table, ["schema", "description"])
    assert table.schema[-1].field_type == "DATE" and table.description == "described"
    assert "shape" in [item.table_id for item in client.list_tables(dataset)]
    client.delete_table(table)
    raises(NotFound, lambda: client.get_table(table))
    raises(NotFound, lambda: client.delete_table(table))
    client.delete_table(table, not_found_ok=True)


def case_views():
    view = bigquery.Table(dataset.table("seen"))
    view.view_query = "SELECT 1 AS one"
    view = client.create_table(view)
    assert (view.table_type, view.schema[0].name) == ("VIEW", "one")
    assert rows_of(f"SELECT * FROM {DATASET}.seen") == [{"one": 1}]


def case_values():
    row = next(
        iter(
            client.query(
                """SELECT 9 AS i, 1.5 AS f, TRUE AS b, 'é' AS s, b'\\x00\\xff' AS y, DATE '2026-01-02' AS d,
            DATETIME '2026-01-02 03:04:05.678' AS dt, TIME '03:04:05' AS t,
            TIMESTAMP '2026-01-02 03:04:05.678901 UTC' AS ts, NUMERIC '1.25' AS n, BIGNUMERIC '1e-20' AS bn,
            JSON '{"a": [1]}' AS j, [1, 2] AS a, STRUCT(1 AS x, [STRUCT('in' AS y)] AS z) AS st,
            CAST(NULL AS STRING) AS nil, 9223372036854775807 AS big, CAST('-inf' AS FLOAT64) AS inf"""
            ).result()
        )
    )
    assert dict(row.items()) == {
        "i": 9,
        "f": 1.5,
        "b": True,
        "s": "é",
        "y": b"\x00\xff",
        "d": datetime.date(2026, 1, 2),
        "dt": datetime.datetime(2026, 1, 2, 3, 4, 5, 678000),
        "t": datetime.time(3, 4, 5),
        "ts": datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        "n": decimal.Decimal("1.25"),
        "bn": decimal.Decimal("1e-20"),
        "j": {"a": [1]},
        "a": [1, 2],
        "st": {"x": 1, "z": [{"y": "in"}]},
        "nil": None,
        "big": 2**63 - 1,
        "inf": float("-inf"),
    }, dict(row.items())


def case_named_parameters():
    scalar = bigquery.ScalarQueryParameter
    values = {
        "i": ("INT64", 7),
        "f": ("FLOAT64", 0.5),
        "b": ("BOOL", False),
        "s": ("STRING", "it's"),
        "y": ("BYTES", b"\x00x"),
        "d": ("DATE", datetime.date(2026, 1, 2)),
        "dt": ("DATETIME", datetime.datetime(2026, 1, 2, 3, 4, 5, 6)),
        "t": ("TIME", datetime.time(3, 4, 5)),
        "ts": ("TIMESTAMP", datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)),
        "n": ("NUMERIC", decimal.Decimal("1.25")),
        "bn": ("BIGNUMERIC", decimal.Decimal("1e-20")),
        "nil": ("STRING", None),
    }
    parameters = [scalar(name, kind, value) for name, (kind, value) in values.items()]
    parameters.append(bigquery.ArrayQueryParameter("a", "INT64", [1, 2, 3]))
    parameters.append(bigquery.StructQueryParameter("st", scalar("x", "INT64", 1), scalar("y", "STRING", "z")))
    names = [*values, "a", "st"]
    query = "SELECT " + ", ".join(f"@{name} AS {name}" for name in names)
    [row] = rows_of(query, job_config=bigquery.QueryJobConfig(query_parameters=parameters))
    expected = {name: value for name, (_, value) in values.items()}
    assert row == {**expected, "a": [1, 2, 3], "st": {"x": 1, "y": "z"}}, row


def case_ranges():
    start = datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    # The client prints the type of each parameter.
    with contextlib.redirect_stdout(io.StringIO()):
        parameters = [
            RangeQueryParameter("DATE", start=datetime.date(2016, 12, 5), name="d"),
            RangeQueryParameter("DATETIME", name="dt"),
            RangeQueryParameter("TIMESTAMP", start=start, end="9999-01-01T00:00:00Z", name="ts"),
        ]
    config = bigquery.QueryJobConfig(query_parameters=parameters)
    [row] = rows_of("SELECT @d AS d, @dt AS dt, @ts AS ts, [@d] AS a, CAST(NULL AS RANGE<DATE>) AS nil", job_config=config)
    d = {"start": datetime.date(2016, 12, 5), "end": None}
    end = datetime.datetime(9999, 1, 1, tzinfo=UTC)
    expected = {"d": d, "dt": {"start": None, "end": None}, "ts": {"start": start, "end": end}, "a": [d], "nil": None}
    assert row == expected, row
    schema = [
        bigquery.SchemaField("k", "STRING"),
        bigquery.SchemaField("r", "RANGE", range_element_type="DATE"),
    ]
    table = client.create_table(bigquery.Table(dataset.table("ranges"), schema=schema))
    assert client.get_table(table).schema[1].range_element_type.element_type == "DATE"
    assert client.insert_rows_json(table, [{"k": "a", "r": {"start": "2016-12-05", "end": None}}, {"k": "b", "r": {}}]) == []
    assert client.insert_rows(table, [("c", {"end": datetime.date(2016, 12, 5)}), ("d", "[2016-12-05, 2016-12-06)")]) == []
    [wrong] = client.insert_rows_json(table, [{"k": "e", "r": {"start": "2016-12-05", "end": "2016-12-05"}}])
    assert wrong["errors"][0]["location"] == "r", wrong
    config = bigquery.LoadJobConfig(source_format="CSV")
    client.load_table_from_file(io.BytesIO(b'f,"[2020-01-01, 2020-02-01)"\n'), table, job_config=config).result()
    read = {row.k: row.r for row in client.list_rows(table)}
    assert read == {
        "a": d,
        "b": {"start": None, "end": None},
        "c": {"start": None, "end": datetime.date(2016, 12, 5)},
        "d": {"start": datetime.date(2016, 12, 5), "end": datetime.date(2016, 12, 6)},
        "f": {"start": datetime.date(2020, 1, 1), "end": datetime.date(2020, 2, 1)},
    }, read
    error = raises(BadRequest, lambda: client.load_table_from_json([{"k": "g", "r": {}}], table).result())
    assert "RANGE in a load of NEWLINE_DELIMITED_JSON" in str(error), error


def case_positional_parameters():
    parameters = [
        bigquery.ScalarQueryParameter(None, "STRING", "x"),
        bigquery.ArrayQueryParameter(None, "STRING", []),
    ]
    config = bigquery.QueryJobConfig(query_parameters=parameters)
    assert rows_of("SELECT ? AS a, ARRAY_LENGTH(?) AS n", job_config=config) == [{"a": "x", "n": 0}]


def case_errors():
    error = raises(BadRequest, lambda: client.query("SELECT nope").result())
    assert "Unrecognized name: nope at [1:8]" in str(error), error
    assert error.errors[0]["reason"] == "invalidQuery", error.errors
    raises(NotFound, lambda: client.query(f"SELECT * FROM {DATASET}.nope").result())
    raises(NotFound, lambda: client.get_job("no_such_job"))
    config = bigquery.QueryJobConfig(dry_run=True)
    raises(BadRequest, lambda: client.query("SELECT nope", job_config=config))


def case_pages():
    job = client.query("SELECT n FROM UNNEST(GENERATE_ARRAY(1, 2500)) AS n ORDER BY n")
    pages = [len(list(page)) for page in job.result(page_size=1000).pages]
    assert pages == [1000, 1000, 500], pages
    # A job object keeps the first page it saw.
    assert [row.n for row in client.get_job(job.job_id).result(start_index=2498)] == [2499, 2500]
    assert [row.n for row in client.get_job(job.job_id).result(max_results=2)] == [1, 2]
    assert job.result().total_rows == 2500
    # What a query without a destination gave lies in a table all the same.
    assert [row.n for row in client.list_rows(job.destination, max_results=2)] == [1, 2]


def case_jobs():
    job = client.query("SELECT 1 AS n", job_id=f"py_{DATASET}", job_config=bigquery.QueryJobConfig(labels={"a": "b"}))
    job.result()
    again = client.get_job(job.job_id, location=job.location)
    assert (again.state, again.statement_type, again.labels) == ("DONE", "SELECT", {"a": "b"})
    raises(Conflict, lambda: client.query("SELECT 2", job_id=f"py_{DATASET}", job_retry=None))
    assert job.job_id in [item.job_id for item in client.list_jobs(max_results=50)]
    client.delete_job_metadata(again)
    raises(NotFound, lambda: client.get_job(job.job_id))


def case_cancel():
    job = client.query(
        "SELECT COUNT(*) FROM UNNEST(GENERATE_ARRAY(1, 100000)) a, UNNEST(GENERATE_ARRAY(1, 1000000)) b"
        " WHERE MOD(a * b, 7) = 3"
    )
    assert job.cancel()
    error = raises(Exception, lambda: job.result(retry=None, timeout=30))
    assert "cancelled" in str(error), error


def case_dry_run():
    client.query_and_wait(f"CREATE TABLE {DATASET}.sized AS SELECT 1 AS n, 'abc' AS s")
    job = client.query(f"SELECT n FROM {DATASET}.sized", job_config=bigquery.QueryJobConfig(dry_run=True))
    assert (job.total_bytes_processed, job.dry_run) == (8, True)
    assert [field.name for field in job.schema] == ["n"]


def case_dml_and_scripts():
    client.query_and_wait(f"CREATE TABLE {DATASET}.changed (k STRING, n INT64)")
    job = client.query(f"INSERT {DATASET}.changed VALUES ('a', 1), ('b', 2)")
    assert list(job.result()) == [] and job.num_dml_affected_rows == 2
    job = client.query(f"DELETE FROM {DATASET}.changed WHERE k = 'a'")
    job.result()
    assert job.dml_stats.deleted_row_count == 1
    job = client.query(f"ALTER TABLE {DATASET}.changed ADD COLUMN extra STRING")
    job.result()
    assert job.ddl_target_table.table_id == "changed", job.ddl_target_table
    script = client.query("DECLARE x INT64 DEFAULT 20; SET x = x + 1; SELECT x * 2 AS b;")
    assert [row.b for row in script.result()] == [42]
    assert len(list(client.list_jobs(parent_job=script))) == script.num_child_jobs


def case_load_table_from_file():
    data = io.BytesIO(b"k,n\na,1\nb,2\n")
    config = bigquery.LoadJobConfig(
        source_format="CSV",
        skip_leading_rows=1,
        schema=[bigquery.SchemaField("k", "STRING"), bigquery.SchemaField("n", "INTEGER")],
    )
    job = client.load_table_from_file(data, dataset.table("loaded"), job_config=config)
    job.result()
    assert (job.output_rows, job.input_files) == (2, 1)
    # Larger than one chunk: the upload is resumable and comes in several requests.
    lines = b"".join(b'{"k": "key-%07d", "n": %d}\n' % (n, n) for n in range(60_000))
    config = bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON", write_disposition="WRITE_TRUNCATE")
    config.schema = [bigquery.SchemaField("k", "STRING"), bigquery.SchemaField("n", "INTEGER")]
    job = client.load_table_from_file(io.BytesIO(lines), dataset.table("loaded"), job_config=config)
    job.result()
    assert job.output_rows == 60_000, job.output_rows
    small = bigquery.Client(project=PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": URL})
    job = small.load_table_from_file(
        io.BytesIO(lines), dataset.table("loaded"), job_config=config, size=len(lines), num_retries=0
    )
    job.result()
    assert client.get_table(dataset.table("loaded")).num_rows == 60_000


def case_load_table_from_json():
    rows = [{"k": "a", "r": {"x": [1, 2]}}, {"k": "b", "r": None}]
    client.load_table_from_json(rows, dataset.table("from_json")).result()
    assert rows_of(f"SELECT k, r.x FROM {DATASET}.from_json ORDER BY k") == [
        {"k": "a", "x": [1, 2]},
        {"k": "b", "x": []},
    ]
    error = raises(
        BadRequest,
        lambda: client.load_table_from_file(
            io.BytesIO(b'{"k": "c"}\n{"k": \n'),
            dataset.table("from_json"),
            job_config=bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON"),
        ).result(),
    )
    assert "Error while reading data" in str(error) or "JSON" in str(error), error
    assert client.get_table(dataset.table("from_json")).num_rows == 2


def case_load_table_from_dataframe():
    frame = pandas.DataFrame(
        {
            "k": ["a", "b", None],
            "n": [1, 2, 3],
            "f": [0.5, float("nan"), 2.5],
            "ts": pandas.to_datetime(["2026-01-02T03:04:05.678901Z"] * 3),
            "d": [datetime.date(2026, 1, 2)] * 3,
        }
    )
    job = client.load_table_from_dataframe(frame, dataset.table("frame"))
    job.result()
    assert job.output_rows == 3
    table = client.get_table(dataset.table("frame"))
    types = {field.name: field.field_type for field in table.schema}
    assert types == {"k": "STRING", "n": "INTEGER", "f": "FLOAT", "ts": "TIMESTAMP", "d": "DATE"}, types
    [row] = rows_of(f"SELECT * FROM {DATASET}.frame WHERE n = 1")
    assert row["ts"] == datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), row


def case_to_dataframe():
    frame = client.query(
        "SELECT n, CAST(n AS STRING) AS s, TIMESTAMP_SECONDS(n) AS ts, NUMERIC '1.5' AS d, [n, n + 1] AS a"
        " FROM UNNEST([1, 2]) AS n ORDER BY n"
    ).to_dataframe(create_bqstorage_client=False)
    assert list(frame["n"]) == [1, 2] and list(frame["s"]) == ["1", "2"]
    assert str(frame["ts"].dtype).startswith("datetime64[us") or str(frame["ts"].dtype).startswith("datetime64[ns")
    assert [list(item) for item in frame["a"]] == [[1, 2], [2, 3]]
    table = client.list_rows(f"{PROJECT}.{DATASET}.from_json").to_arrow(create_bqstorage_client=False)
    assert table.num_rows == 2


def case_insert_rows_json():
    table = client.create_table(
        bigquery.Table(
            dataset.table("streamed"),
            schema=[bigquery.SchemaField("k", "STRING"), bigquery.SchemaField("n", "INTEGER")],
        )
    )
    assert client.insert_rows_json(table, [{"k": "a", "n": 1}, {"k": "b"}]) == []
    errors = client.insert_rows_json(table, [{"k": "c"}, {"n": "x"}])
    reasons = {error["index"]: error["errors"][0]["reason"] for error in errors}
    assert reasons == {0: "stopped", 1: "invalid"}, errors
    assert client.insert_rows(table, [("d", 4)]) == []
    assert sorted(row.k for row in client.list_rows(table)) == ["a", "b", "d"]
    assert [row.n for row in client.list_rows(table, selected_fields=[table.schema[1]], max_results=1)] == [1]


def case_copy_table():
    source = dataset.table("streamed")
    client.copy_table(source, dataset.table("copied")).result()
    assert client.get_table(dataset.table("copied")).num_rows == 3
    raises(Conflict, lambda: client.copy_table(source, dataset.table("copied")).result())


def case_sessions():
    job = client.query("CREATE TEMP TABLE x AS SELECT 5 AS n", job_config=bigquery.QueryJobConfig(create_session=True))
    job.result()
    properties = [bigquery.ConnectionProperty("session_id", job.session_info.session_id)]

    def within(query):
        config = bigquery.QueryJobConfig(connection_properties=properties)
        return [list(row.values()) for row in client.query(query, job_config=config).result()]

    assert within("SELECT n FROM x") == [[5]]
    client.query_and_wait(f"CREATE TABLE {DATASET}.in_session (n INT64)")
    within("BEGIN TRANSACTION")
    within(f"INSERT {DATASET}.in_session VALUES (7)")
    assert rows_of(f"SELECT n FROM {DATASET}.in_session") == []
    within("COMMIT TRANSACTION")
    assert rows_of(f"SELECT n FROM {DATASET}.in_session") == [{"n": 7}]
    within("CALL BQ.ABORT_SESSION()")
    raises(NotFound, lambda: within("SELECT 1"))


def case_routines():
    int64 = bigquery.StandardSqlDataType(type_kind=bigquery.StandardSqlTypeNames.INT64)
    arguments = [bigquery.RoutineArgument(name="x", data_type=int64)]
    name = f"{PROJECT}.{DATASET}.scaled"
    routine = bigquery.Routine(name, type_="SCALAR_FUNCTION", language="SQL", body="x * 2", arguments=arguments)
    client.create_routine(routine)
    assert rows_of(f"SELECT {DATASET}.scaled(4) AS n") == [{"n": 8}]
    routine = client.get_routine(name)
    routine.body = "x * 3"
    # The API takes no partial updates.
    client.update_routine(routine, ["body", "language", "arguments", "type_", "return_type"])
    assert rows_of(f"SELECT {DATASET}.scaled(4) AS n") == [{"n": 12}]
    client.delete_routine(name)
    raises(NotFound, lambda: client.get_routine(name))


def case_partitions():
    query = "SELECT n, DATE '2026-01-01' + n AS day FROM UNNEST([0, 1]) AS n"
    job = client.query(f"CREATE TABLE {DATASET}.parts PARTITION BY day AS {query}")
    job.result()
    # dbt looks for the rows of a table that it made in the job's destination.
    assert client.get_table(job.destination).num_rows == 2
    assert client.list_partitions(dataset.table("parts")) == ["20260101", "20260102"]
    client.query_and_wait(f"CREATE TABLE {DATASET}.other (n INT64, day DATE) PARTITION BY day")
    config = bigquery.CopyJobConfig(write_disposition="WRITE_TRUNCATE")
    names = [f"{DATASET}.{table}$20260102" for table in ("parts", "other")]
    client.copy_table(*names, job_config=config).result()
    assert rows_of(f"SELECT n FROM {DATASET}.other") == [{"n": 1}]


def case_routines_of_sql():
    client.query_and_wait(f"CREATE PROCEDURE {DATASET}.doing(OUT done STRING) BEGIN SET done = 'yes'; END")
    routine = client.get_routine(f"{PROJECT}.{DATASET}.doing")
    [argument] = routine.arguments
    assert (routine.type_, argument.name, argument.mode) == ("PROCEDURE", "done", "OUT"), routine
    assert routine.body == "BEGIN SET done = 'yes'; END", routine.body


def case_database_api():
    cursor = dbapi.connect(client).cursor()
    cursor.execute("SELECT %(a)s AS a, %(b)s AS b", {"a": 1, "b": "x"})
    assert [tuple(row.values()) for row in cursor.fetchall()] == [(1, "x")]
    cursor.execute(f"CREATE TABLE {DATASET}.by_cursor (n INT64)")
    cursor.executemany(f"INSERT {DATASET}.by_cursor VALUES (%s)", [(11,), (12,)])
    assert cursor.rowcount == 2
    cursor.execute(f"SELECT SUM(n) FROM {DATASET}.by_cursor")
    assert [tuple(row.values()) for row in cursor.fetchall()] == [(23,)]


def case_destination_options():
    table = dataset.table("laid_out")
    config = bigquery.QueryJobConfig(
        destination=table, time_partitioning=bigquery.TimePartitioning(field="day"), clustering_fields=["n"]
    )
    client.query("SELECT 1 AS n, DATE '2026-01-02' AS day", job_config=config).result()
    made = client.get_table(table)
    assert (made.time_partitioning.field, made.clustering_fields) == ("day", ["n"])
    config = bigquery.QueryJobConfig(
        destination=table, write_disposition="WRITE_APPEND", schema_update_options=["ALLOW_FIELD_ADDITION"]
    )
    client.query("SELECT 2 AS n, DATE '2026-01-02' AS day, 'new' AS extra", job_config=config).result()
    assert [field.name for field in client.get_table(table).schema] == ["n", "day", "extra"]
    assert client.test_iam_permissions(table, ["bigquery.tables.get"]) == {"permissions": ["bigquery.tables.get"]}


def main():
    client.create_dataset(dataset)
    for name, work in list(globals().items()):
        if not name.startswith("case_"):
            continue
        try:
            work()
            problem = None
        except Exception:  # each case is told on its own
            problem = traceback.format_exc()
        print(json.dumps({"case": name[5:], "problem": problem}), flush=True)


main()
