// The Go client against the endpoint; prints one JSON line for each case.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"reflect"
	"strings"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
)

var (
	ctx     = context.Background()
	client  *bigquery.Client
	dataset *bigquery.Dataset
)

// check ends the case with an error that should not be.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// must gives the value of a call that should not fail.
func must[T any](value T, err error) T {
	check(err)
	return value
}

// equal ends the case where the two differ.
func equal(got, want any) {
	if !reflect.DeepEqual(got, want) {
		panic(fmt.Sprintf("got %#v, want %#v", got, want))
	}
}

// failsWith ends the case unless the error has this HTTP code and text.
func failsWith(err error, code int, text string) {
	var answer *googleapi.Error
	if !errors.As(err, &answer) || answer.Code != code || !strings.Contains(answer.Message, text) {
		panic(fmt.Sprintf("got error %v, want %d %q", err, code, text))
	}
}

// jobFailsWith ends the case unless a job failed with this reason and text.
func jobFailsWith(err error, reason, text string) {
	var answer *bigquery.Error
	if !errors.As(err, &answer) || answer.Reason != reason || !strings.Contains(answer.Message, text) {
		panic(fmt.Sprintf("got error %v, want %s %q", err, reason, text))
	}
}

// rows reads an iterator to its end.
func rows(it *bigquery.RowIterator) [][]bigquery.Value {
	all := [][]bigquery.Value{}
	for {
		var row []bigquery.Value
		err := it.Next(&row)
		if err == iterator.Done {
			return all
		}
		check(err)
		all = append(all, row)
	}
}

// query runs SQL that may use the dataset as the default one.
func query(sql string, parameters ...bigquery.QueryParameter) [][]bigquery.Value {
	return rows(must(prepared(sql, parameters...).Read(ctx)))
}

func prepared(sql string, parameters ...bigquery.QueryParameter) *bigquery.Query {
	q := client.Query(sql)
	q.DefaultDatasetID = dataset.DatasetID
	q.Parameters = parameters
	return q
}

// finished waits for a job and fails with it.
func finished(job *bigquery.Job, err error) *bigquery.JobStatus {
	check(err)
	status := must(job.Wait(ctx))
	check(status.Err())
	return status
}

func row(values ...bigquery.Value) []bigquery.Value { return values }

func datasets() {
	other := client.Dataset(dataset.DatasetID + "_more")
	check(other.Create(ctx, &bigquery.DatasetMetadata{Location: "EU", Description: "first", Labels: map[string]string{"a": "b"}}))
	failsWith(other.Create(ctx, nil), 409, "Already Exists")
	metadata := must(other.Metadata(ctx))
	equal([]any{metadata.Location, metadata.Description, metadata.Labels["a"]}, []any{"EU", "first", "b"})
	change := bigquery.DatasetMetadataToUpdate{Description: "second"}
	change.SetLabel("c", "d")
	change.DeleteLabel("a")
	changed := must(other.Update(ctx, change, metadata.ETag))
	equal(changed.Description, "second")
	equal(changed.Labels, map[string]string{"c": "d"})
	_, err := other.Update(ctx, change, metadata.ETag)
	failsWith(err, 412, "")
	found := false
	for datasets := client.Datasets(ctx); ; {
		next, err := datasets.Next()
		if err == iterator.Done {
			break
		}
		check(err)
		found = found || next.DatasetID == other.DatasetID
	}
	equal(found, true)
	check(other.Table("t").Create(ctx, nil))
	failsWith(other.Delete(ctx), 400, "still in use")
	check(other.DeleteWithContents(ctx))
	_, err = other.Metadata(ctx)
	failsWith(err, 404, "Not found: Dataset")
}

func tables() {
	table := dataset.Table("shape")
	check(table.Create(ctx, &bigquery.TableMetadata{
		Schema: bigquery.Schema{
			{Name: "id", Type: bigquery.IntegerFieldType, Required: true},
			{Name: "day", Type: bigquery.DateFieldType},
			{Name: "tags", Type: bigquery.StringFieldType, Repeated: true},
			{Name: "r", Type: bigquery.RecordFieldType, Schema: bigquery.Schema{{Name: "x", Type: bigquery.NumericFieldType, Precision: 10, Scale: 2}}},
			{Name: "made", Type: bigquery.TimestampFieldType, DefaultValueExpression: "CURRENT_TIMESTAMP()"},
		},
		TimePartitioning:       &bigquery.TimePartitioning{Field: "day", Type: bigquery.DayPartitioningType, Expiration: 90 * 24 * time.Hour},
		RequirePartitionFilter: true,
		Clustering:             &bigquery.Clustering{Fields: []string{"id"}},
		ExpirationTime:         time.Now().Add(time.Hour),
		Labels:                 map[string]string{"a": "b"},
		TableConstraints:       &bigquery.TableConstraints{PrimaryKey: &bigquery.PrimaryKey{Columns: []string{"id"}}},
	}))
	failsWith(table.Create(ctx, nil), 409, "Already Exists: Table")
	metadata := must(table.Metadata(ctx))
	equal(metadata.Type, bigquery.RegularTable)
	equal([]any{metadata.TimePartitioning.Field, metadata.TimePartitioning.Expiration, metadata.RequirePartitionFilter}, []any{"day", 90 * 24 * time.Hour, true})
	equal(metadata.Clustering.Fields, []string{"id"})
	equal(metadata.TableConstraints.PrimaryKey.Columns, []string{"id"})
	equal([]any{metadata.Schema[3].Schema[0].Precision, metadata.Schema[3].Schema[0].Scale}, []any{int64(10), int64(2)})
	equal(metadata.Schema[4].DefaultValueExpression, "CURRENT_TIMESTAMP()")
	wider := append(metadata.Schema, &bigquery.FieldSchema{Name: "added", Type: bigquery.JSONFieldType})
	changed := must(table.Update(ctx, bigquery.TableMetadataToUpdate{Schema: wider, Description: "described", ExpirationTime: bigquery.NeverExpire}, metadata.ETag))
	equal([]any{len(changed.Schema), changed.Description, changed.ExpirationTime.IsZero()}, []any{6, "described", true})
	_, err := table.Update(ctx, bigquery.TableMetadataToUpdate{Name: "late"}, metadata.ETag)
	failsWith(err, 412, "")
	_, err = table.Update(ctx, bigquery.TableMetadataToUpdate{Schema: metadata.Schema[1:]}, "")
	failsWith(err, 400, "")
	check(table.Delete(ctx))
	failsWith(table.Delete(ctx), 404, "Not found: Table")
	_, err = table.Metadata(ctx)
	failsWith(err, 404, "Not found: Table")
}

func views() {
	check(dataset.Table("seen").Create(ctx, &bigquery.TableMetadata{ViewQuery: "SELECT 1 AS one"}))
	metadata := must(dataset.Table("seen").Metadata(ctx))
	equal([]any{metadata.Type, metadata.ViewQuery, metadata.Schema[0].Name}, []any{bigquery.ViewTable, "SELECT 1 AS one", "one"})
	must(dataset.Table("seen").Update(ctx, bigquery.TableMetadataToUpdate{ViewQuery: "SELECT 2 AS two"}, metadata.ETag))
	equal(query("SELECT * FROM seen"), [][]bigquery.Value{row(int64(2))})
	names := []string{}
	for tables := dataset.Tables(ctx); ; {
		next, err := tables.Next()
		if err == iterator.Done {
			break
		}
		check(err)
		names = append(names, next.TableID)
	}
	equal(strings.Contains(strings.Join(names, " "), "seen"), true)
}

func values() {
	got := query(`SELECT 9, 1.5, TRUE, 'é', b'\x00\xff', DATE '2026-01-02', DATETIME '2026-01-02 03:04:05.678', TIME '03:04:05',
		TIMESTAMP '2026-01-02 03:04:05.678901 UTC', NUMERIC '1.25', BIGNUMERIC '1e-20', JSON '{"a": [1]}', ST_GEOGPOINT(1, 2),
		[1, 2], STRUCT(1 AS x, [STRUCT('in' AS y)] AS z), CAST(NULL AS STRING), 9223372036854775807`)[0]
	bigNumber, _ := new(big.Rat).SetString("1e-20")
	equal(got[9].(*big.Rat).Cmp(big.NewRat(5, 4)), 0)
	equal(got[10].(*big.Rat).Cmp(bigNumber), 0)
	equal(append(append([]bigquery.Value{}, got[:9]...), got[11:17]...), row(
		int64(9), 1.5, true, "é", []byte("\x00\xff"), civil.Date{Year: 2026, Month: 1, Day: 2},
		civil.DateTime{Date: civil.Date{Year: 2026, Month: 1, Day: 2}, Time: civil.Time{Hour: 3, Minute: 4, Second: 5, Nanosecond: 678_000_000}},
		civil.Time{Hour: 3, Minute: 4, Second: 5}, time.Date(2026, 1, 2, 3, 4, 5, 678_901_000, time.UTC),
		`{"a":[1]}`, "POINT(1 2)", row(int64(1), int64(2)), row(int64(1), []bigquery.Value{row("in")}), nil, int64(9223372036854775807)))
	interval := query("SELECT INTERVAL '1-2 -3 4:5:6.789' YEAR TO SECOND")[0][0].(*bigquery.IntervalValue)
	equal(interval.String(), "1-2 -3 4:5:6.789")
}

type nested struct {
	ID    int64
	Name  bigquery.NullString
	Tags  []string
	Inner []struct{ X *big.Rat }
	Other struct {
		At  time.Time
		Day bigquery.NullDate
	}
}

func structs() {
	schema := must(bigquery.InferSchema(nested{}))
	table := dataset.Table("structs")
	check(table.Create(ctx, &bigquery.TableMetadata{Schema: schema}))
	given := nested{ID: 1, Name: bigquery.NullString{StringVal: "n", Valid: true}, Tags: []string{"a", "b"}}
	given.Inner = []struct{ X *big.Rat }{{big.NewRat(5, 4)}}
	given.Other.At = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	check(table.Inserter().Put(ctx, []*nested{&given, {ID: 2, Inner: []struct{ X *big.Rat }{}}}))
	it := must(prepared("SELECT * FROM structs ORDER BY ID").Read(ctx))
	var got nested
	check(it.Next(&got))
	equal(got.Inner[0].X.Cmp(given.Inner[0].X), 0)
	got.Inner, given.Inner = nil, nil
	equal(got, given)
	var asMap map[string]bigquery.Value
	check(it.Next(&asMap))
	equal([]any{asMap["ID"], asMap["Name"], asMap["Tags"]}, []any{int64(2), nil, []bigquery.Value{}})
}

func namedParameters() {
	names := []string{}
	parameters := []bigquery.QueryParameter{}
	want := []bigquery.Value{}
	add := func(value, expected any) {
		name := fmt.Sprintf("p%d", len(names))
		names = append(names, "@"+name)
		parameters = append(parameters, bigquery.QueryParameter{Name: name, Value: value})
		want = append(want, expected)
	}
	day := civil.Date{Year: 2026, Month: 1, Day: 2}
	at := civil.Time{Hour: 3, Minute: 4, Second: 5, Nanosecond: 6000}
	instant := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	for _, same := range []any{int64(7), 0.5, false, "it's", []byte("\x00x"), day, civil.DateTime{Date: day, Time: at}, at, instant} {
		add(same, same)
	}
	add(bigquery.NullString{}, nil)
	add(bigquery.NullInt64{Int64: 3, Valid: true}, int64(3))
	add(bigquery.NullGeography{GeographyVal: "POINT(1 2)", Valid: true}, "POINT(1 2)")
	add(bigquery.NullJSON{JSONVal: `{"a":1}`, Valid: true}, `{"a":1}`)
	add([]int64{1, 2}, row(int64(1), int64(2)))
	add([]string{}, row())
	add(struct {
		X int64
		Y []string
	}{1, []string{"z"}}, row(int64(1), row("z")))
	add(&bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: "BIGNUMERIC"}, Value: "0.5"}, big.NewRat(1, 2))
	add(big.NewRat(5, 4), big.NewRat(5, 4))
	add(&bigquery.IntervalValue{Years: 1, Days: 2, Seconds: 3}, &bigquery.IntervalValue{Years: 1, Days: 2, Seconds: 3})
	got := query("SELECT "+strings.Join(names, ", "), parameters...)[0]
	for n, expected := range want {
		if number, ok := expected.(*big.Rat); ok {
			equal(got[n].(*big.Rat).Cmp(number), 0)
		} else {
			equal(got[n], expected)
		}
	}
}

func positionalParameters() {
	equal(query("SELECT ? AS a, ARRAY_LENGTH(?) AS n", bigquery.QueryParameter{Value: "x"}, bigquery.QueryParameter{Value: []string{"a"}}),
		[][]bigquery.Value{row("x", int64(1))})
}

func queryErrors() {
	_, err := client.Query("SELECT nope").Read(ctx)
	failsWith(err, 400, "Unrecognized name: nope at [1:8]")
	_, err = prepared("SELECT * FROM nope").Read(ctx)
	failsWith(err, 404, "Not found: Table")
	_, err = must(client.Query("SELECT 1 / n FROM UNNEST([0]) AS n").Run(ctx)).Wait(ctx)
	failsWith(err, 400, "division by zero")
	_, err = client.JobFromID(ctx, "no_such_job")
	failsWith(err, 404, "Not found: Job")
}

func pages() {
	q := client.Query("SELECT n FROM UNNEST(GENERATE_ARRAY(1, 2500)) AS n ORDER BY n")
	q.JobID = "go_pages_" + dataset.DatasetID
	job := must(q.Run(ctx))
	it := must(job.Read(ctx))
	pager := iterator.NewPager(it, 1000, "")
	sizes := []int{}
	for {
		var page [][]bigquery.Value
		token := must(pager.NextPage(&page))
		sizes = append(sizes, len(page))
		if token == "" {
			break
		}
	}
	equal(sizes, []int{1000, 1000, 500})
	equal(it.TotalRows, uint64(2500))
	late := must(job.Read(ctx))
	late.StartIndex = 2498
	equal(rows(late), [][]bigquery.Value{row(int64(2499)), row(int64(2500))})
	equal(len(rows(must(client.Query(q.Q).Read(ctx)))), 2500)
	_, err := q.Run(ctx)
	failsWith(err, 409, "Already Exists: Job")
}

func jobs() {
	q := client.Query("SELECT 1 AS n")
	q.JobID = "go_job_" + dataset.DatasetID
	q.Labels = map[string]string{"suite": "go"}
	finished(q.Run(ctx))
	job := must(client.JobFromIDLocation(ctx, q.JobID, "US"))
	config := must(job.Config()).(*bigquery.QueryConfig)
	equal([]any{config.Q, config.Labels["suite"]}, []any{"SELECT 1 AS n", "go"})
	statistics := job.LastStatus().Statistics.Details.(*bigquery.QueryStatistics)
	equal(statistics.StatementType, "SELECT")
	found := false
	for all := client.Jobs(ctx); ; {
		next, err := all.Next()
		if err == iterator.Done {
			break
		}
		check(err)
		found = found || next.ID() == q.JobID
	}
	equal(found, true)
	check(job.Delete(ctx))
	_, err := client.JobFromID(ctx, q.JobID)
	failsWith(err, 404, "Not found: Job")
}

func cancel() {
	job := must(client.Query("SELECT COUNT(*) FROM UNNEST(GENERATE_ARRAY(1, 100000)) a, UNNEST(GENERATE_ARRAY(1, 1000000)) b WHERE MOD(a * b, 7) = 3").Run(ctx))
	check(job.Cancel(ctx))
	_, err := job.Wait(ctx)
	failsWith(err, 499, "cancelled")
}

func dryRun() {
	query("CREATE TABLE sized AS SELECT 1 AS n, 'abc' AS s")
	q := prepared("SELECT n FROM sized")
	q.DryRun = true
	statistics := must(q.Run(ctx)).LastStatus().Statistics
	equal(statistics.TotalBytesProcessed, int64(8))
	equal(statistics.Details.(*bigquery.QueryStatistics).Schema[0].Name, "n")
	q.QueryConfig.Q = "SELECT nope FROM sized"
	_, err := q.Run(ctx)
	failsWith(err, 400, "Unrecognized name: nope")
}

func changes() {
	query("CREATE TABLE changed (k STRING, n INT64)")
	statistics := finished(prepared("INSERT changed VALUES ('a', 1), ('b', 2)").Run(ctx)).Statistics.Details.(*bigquery.QueryStatistics)
	equal([]any{statistics.NumDMLAffectedRows, statistics.DMLStats.InsertedRowCount}, []any{int64(2), int64(2)})
	merged := finished(prepared(`MERGE changed t USING (SELECT 'a' k, 5 n UNION ALL SELECT 'c', 6) s ON t.k = s.k
		WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED THEN INSERT ROW WHEN NOT MATCHED BY SOURCE THEN DELETE`).Run(ctx))
	equal(*merged.Statistics.Details.(*bigquery.QueryStatistics).DMLStats, bigquery.DMLStatistics{InsertedRowCount: 1, UpdatedRowCount: 1, DeletedRowCount: 1})
	dropped := finished(prepared("DROP TABLE changed").Run(ctx)).Statistics.Details.(*bigquery.QueryStatistics)
	equal([]any{dropped.StatementType, dropped.DDLOperationPerformed, dropped.DDLTargetTable.TableID}, []any{"DROP_TABLE", "DROP", "changed"})
}

func scripts() {
	job := must(client.Query("DECLARE x INT64 DEFAULT 20; SET x = x + 1; SELECT x AS a; SELECT x * 2 AS b;").Run(ctx))
	equal(rows(must(job.Read(ctx))), [][]bigquery.Value{row(int64(42))})
	status := must(job.Status(ctx))
	count := int64(0)
	results := [][]bigquery.Value{}
	for children := job.Children(ctx); ; {
		child, err := children.Next()
		if err == iterator.Done {
			break
		}
		check(err)
		count++
		statistics := must(child.Status(ctx)).Statistics
		equal(statistics.ParentJobID, job.ID())
		if statistics.Details.(*bigquery.QueryStatistics).StatementType == "SELECT" && statistics.ScriptStatistics.EvaluationKind == "STATEMENT" {
			results = append(results, rows(must(child.Read(ctx)))...)
		}
	}
	equal(count, status.Statistics.NumChildJobs)
	equal(results, [][]bigquery.Value{row(int64(42)), row(int64(21))})
	_, err := must(client.Query("SELECT 1; SELECT ERROR('on purpose');").Run(ctx)).Wait(ctx)
	failsWith(err, 400, "on purpose")
}

func destinations() {
	q := prepared("SELECT 1 AS n, DATE '2026-01-02' AS day")
	q.Dst = dataset.Table("written")
	q.WriteDisposition = bigquery.WriteEmpty
	q.TimePartitioning = &bigquery.TimePartitioning{Field: "day"}
	q.Clustering = &bigquery.Clustering{Fields: []string{"n"}}
	finished(q.Run(ctx))
	_, err := must(q.Run(ctx)).Wait(ctx)
	failsWith(err, 409, "Already Exists")
	q.WriteDisposition = bigquery.WriteAppend
	q.SchemaUpdateOptions = []string{"ALLOW_FIELD_ADDITION"}
	q.QueryConfig.Q = "SELECT 2 AS n, DATE '2026-01-02' AS day, 'new' AS extra"
	finished(q.Run(ctx))
	metadata := must(q.Dst.Metadata(ctx))
	equal([]any{len(metadata.Schema), metadata.TimePartitioning.Field, metadata.NumRows}, []any{3, "day", uint64(2)})
}

func loads() {
	table := dataset.Table("loaded")
	source := bigquery.NewReaderSource(strings.NewReader("k,n\na,1\n\"b \"\"q\"\"\",2\n"))
	source.SourceFormat = bigquery.CSV
	source.SkipLeadingRows = 1
	source.Schema = bigquery.Schema{{Name: "k", Type: bigquery.StringFieldType}, {Name: "n", Type: bigquery.IntegerFieldType}}
	loader := table.LoaderFrom(source)
	loader.Labels = map[string]string{"a": "b"}
	statistics := finished(loader.Run(ctx)).Statistics.Details.(*bigquery.LoadStatistics)
	equal([]any{statistics.OutputRows, statistics.InputFiles}, []any{int64(2), int64(1)})
	// More than one chunk of 16 MiB: the upload is resumable and comes in several requests.
	var lines bytes.Buffer
	pad := strings.Repeat("x", 1000)
	for n := 0; n < 20_000; n++ {
		fmt.Fprintf(&lines, "{\"k\": \"%s\", \"n\": %d}\n", pad, n)
	}
	large := bigquery.NewReaderSource(io.Reader(&lines))
	large.SourceFormat = bigquery.JSON
	again := table.LoaderFrom(large)
	again.WriteDisposition = bigquery.WriteTruncate
	equal(finished(again.Run(ctx)).Statistics.Details.(*bigquery.LoadStatistics).OutputRows, int64(20_000))
	equal(must(table.Metadata(ctx)).NumRows, uint64(20_000))
	bad := bigquery.NewReaderSource(strings.NewReader("{\"k\": \"a\"}\n{\"n\": \"x\"}\n"))
	bad.SourceFormat = bigquery.JSON
	job := must(table.LoaderFrom(bad).Run(ctx))
	jobFailsWith(must(job.Wait(ctx)).Err(), "invalid", "")
	equal(must(table.Metadata(ctx)).NumRows, uint64(20_000))
	detected := bigquery.NewReaderSource(strings.NewReader("id,price,day\n1,2.5,2026-01-02\n"))
	detected.AutoDetect = true
	finished(dataset.Table("detected").LoaderFrom(detected).Run(ctx))
	types := []bigquery.FieldType{}
	for _, field := range must(dataset.Table("detected").Metadata(ctx)).Schema {
		types = append(types, field.Type)
	}
	equal(types, []bigquery.FieldType{bigquery.IntegerFieldType, bigquery.FloatFieldType, bigquery.DateFieldType})
}

func inserts() {
	table := dataset.Table("streamed")
	check(table.Create(ctx, &bigquery.TableMetadata{Schema: bigquery.Schema{{Name: "k", Type: bigquery.StringFieldType}, {Name: "n", Type: bigquery.IntegerFieldType}}}))
	inserter := table.Inserter()
	check(inserter.Put(ctx, []*bigquery.ValuesSaver{{Schema: must(table.Metadata(ctx)).Schema, Row: row("a", 1)}}))
	bad := []*bigquery.StructSaver{
		{Struct: struct {
			K string `bigquery:"k"`
			N string `bigquery:"n"`
		}{"b", "x"}, Schema: bigquery.Schema{{Name: "k", Type: bigquery.StringFieldType}, {Name: "n", Type: bigquery.StringFieldType}}},
	}
	err := inserter.Put(ctx, bad)
	var several bigquery.PutMultiError
	if !errors.As(err, &several) || len(several) != 1 || several[0].RowIndex != 0 {
		panic(fmt.Sprintf("got %v", err))
	}
	jobFailsWith(several[0].Errors[0], "invalid", "")
	inserter.SkipInvalidRows = true
	inserter.IgnoreUnknownValues = true
	check(inserter.Put(ctx, struct {
		K     string `bigquery:"k"`
		Other string `bigquery:"other"`
	}{"c", "ignored"}))
	it := table.Read(ctx)
	equal(len(rows(it)), 2)
	equal(it.TotalRows, uint64(2))
}

func copies() {
	query("CREATE TABLE from_one AS SELECT 1 AS n")
	query("CREATE TABLE from_two AS SELECT 2 AS n")
	target := dataset.Table("copied")
	copier := target.CopierFrom(dataset.Table("from_one"), dataset.Table("from_two"))
	finished(copier.Run(ctx))
	equal(must(target.Metadata(ctx)).NumRows, uint64(2))
	copier.WriteDisposition = bigquery.WriteEmpty
	jobFailsWith(must(must(copier.Run(ctx)).Wait(ctx)).Err(), "duplicate", "Already Exists")
	snapshot := dataset.Table("kept").CopierFrom(target)
	snapshot.OperationType = bigquery.SnapshotOperation
	finished(snapshot.Run(ctx))
	metadata := must(dataset.Table("kept").Metadata(ctx))
	equal([]any{metadata.Type, metadata.SnapshotDefinition.BaseTableReference.TableID}, []any{bigquery.Snapshot, "copied"})
}

func routines() {
	routine := dataset.Routine("scaled")
	int64Type := &bigquery.StandardSQLDataType{TypeKind: "INT64"}
	check(routine.Create(ctx, &bigquery.RoutineMetadata{Type: "SCALAR_FUNCTION", Language: "SQL", Body: "x * 2", Arguments: []*bigquery.RoutineArgument{{Name: "x", DataType: int64Type}}}))
	failsWith(routine.Create(ctx, &bigquery.RoutineMetadata{Type: "SCALAR_FUNCTION", Language: "SQL", Body: "1"}), 409, "Already Exists")
	equal(query("SELECT scaled(4)")[0][0], int64(8))
	metadata := must(routine.Metadata(ctx))
	// The API takes no partial updates.
	change := &bigquery.RoutineMetadataToUpdate{Type: metadata.Type, Language: metadata.Language, Body: "x * 3", Arguments: metadata.Arguments, ReturnType: metadata.ReturnType}
	must(routine.Update(ctx, change, metadata.ETag))
	_, err := routine.Update(ctx, change, metadata.ETag)
	failsWith(err, 412, "")
	equal(query("SELECT scaled(4)")[0][0], int64(12))
	all := dataset.Routines(ctx)
	equal(must(all.Next()).RoutineID, "scaled")
	check(routine.Delete(ctx))
	_, err = routine.Metadata(ctx)
	failsWith(err, 404, "Not found: Routine")
}

func sessions() {
	q := client.Query("CREATE TEMP TABLE kept AS SELECT 5 AS n")
	q.CreateSession = true
	id := finished(q.Run(ctx)).Statistics.SessionInfo.SessionID
	within := client.Query("SELECT n FROM kept")
	within.ConnectionProperties = []*bigquery.ConnectionProperty{{Key: "session_id", Value: id}}
	equal(rows(must(must(within.Run(ctx)).Read(ctx))), [][]bigquery.Value{row(int64(5))})
}

func ownAccess() {
	policy := must(dataset.Table("streamed").IAM().TestPermissions(ctx, []string{"bigquery.tables.get"}))
	equal(policy, []string{"bigquery.tables.get"})
}

func main() {
	url, project, name := os.Args[1], os.Args[2], os.Args[3]
	client = must(bigquery.NewClient(ctx, project, option.WithEndpoint(url), option.WithoutAuthentication()))
	dataset = client.Dataset(name)
	check(dataset.Create(ctx, nil))
	cases := []struct {
		name string
		work func()
	}{
		{"datasets", datasets},
		{"tables", tables},
		{"views", views},
		{"values", values},
		{"structs", structs},
		{"named parameters", namedParameters},
		{"positional parameters", positionalParameters},
		{"errors of queries", queryErrors},
		{"pages", pages},
		{"jobs", jobs},
		{"cancel", cancel},
		{"dry run", dryRun},
		{"changes", changes},
		{"scripts", scripts},
		{"destinations", destinations},
		{"loads", loads},
		{"inserts", inserts},
		{"copies", copies},
		{"routines", routines},
		{"sessions", sessions},
		{"access", ownAccess},
	}
	for _, each := range cases {
		line := must(json.Marshal(map[string]any{"case": each.name, "problem": attempt(each.work)}))
		fmt.Println(string(line))
	}
}

// attempt runs a case; what went wrong in it, nil where nothing did.
func attempt(work func()) (problem any) {
	defer func() {
		if reason := recover(); reason != nil {
			problem = fmt.Sprint(reason)
		}
	}()
	work()
	return nil
}
