"""The DuckDB warehouse: column mapping and its errors, types of results, parameters, the log of statements."""

import hashlib
import math
import os
import subprocess
import sys
import textwrap
from datetime import UTC, date, datetime

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shokubai.core.errors import DataError, QueryError
from shokubai.core.frames import Column, FrameContract
from shokubai.sources import Query, to_frame

BY_NAME = Query(
    "by_name", "-- @names ARRAY<STRING>: whom\nSELECT name FROM visits WHERE name IN UNNEST(@names)", "q.sql"
)
NAMES = FrameContract("names", "visit", {"name": Column("STRING", "")})
TOTAL = FrameContract("total", "table", {"total": Column("INT64", "")})


def sum_of(column):
    return Query("total", f"SELECT SUM({column}) AS total FROM visits", "q.sql")


# --- from files to the contract's columns -------------------------------------------------------------------


def test_columns_come_in_the_contracts_types(tmp_path, visits_frame, open_visits):
    visits_frame().to_parquet(tmp_path / "a.parquet")
    frame = open_visits().sql("SELECT * FROM visits ORDER BY name")
    assert list(frame["timestamp"]) == [
        pd.Timestamp("2026-10-26T00:00:00Z"),
        pd.Timestamp("2026-10-26T23:59:59.999999Z"),
    ]
    assert frame["timestamp"].dtype == "datetime64[us, UTC]"
    assert frame["name"].tolist() == ["a", "b"]
    assert frame["status"].tolist() == [200, pd.NA]
    assert frame["note"].isna().all()


def test_columns_are_mapped_by_name_and_by_expression(tmp_path, visits_frame, open_visits):
    frame = visits_frame(timestamp=None, name=None, duration_seconds=None).assign(
        happened=[1793232000, 1793232001], Who=["x", "y"], ms=[1500, 20]
    )
    frame.to_parquet(tmp_path / "a.parquet")
    warehouse = open_visits(
        columns={
            "timestamp": "to_timestamp(happened)",
            "name": "who",
            "duration_seconds": "ms / 1000",
            "note": "upper(Who)",
        }
    )
    got = warehouse.sql("SELECT timestamp, name, duration_seconds, note FROM visits ORDER BY name")
    assert got["timestamp"].tolist() == [
        pd.Timestamp(1793232000, unit="s", tz="UTC"),
        pd.Timestamp(1793232001, unit="s", tz="UTC"),
    ]
    assert got["name"].tolist() == ["x", "y"]
    assert got["duration_seconds"].tolist() == [1.5, 0.02]
    assert got["note"].tolist() == ["X", "Y"]


def test_only_rows_that_meet_the_condition_are_read(tmp_path, visits_frame, open_visits):
    visits_frame().to_parquet(tmp_path / "a.parquet")
    assert open_visits(where="size = 2 OR size = 7").sql("SELECT name FROM visits")["name"].tolist() == ["b"]


def test_timestamps_without_a_zone_are_utc(tmp_path, visits_frame, open_visits):
    naive = pd.to_datetime(["2026-10-26 00:00:00", "2026-10-26 09:00:00"])
    visits_frame(timestamp=naive).to_parquet(tmp_path / "a.parquet")
    got = open_visits().sql("SELECT timestamp FROM visits ORDER BY timestamp")["timestamp"]
    assert got.tolist() == [pd.Timestamp("2026-10-26T00:00Z"), pd.Timestamp("2026-10-26T09:00Z")]


@pytest.mark.parametrize("bad", [-1.0, -1e-9, math.inf, -math.inf, math.nan])
def test_an_impossible_duration_is_unknown_not_zero(tmp_path, visits_frame, open_visits, bad):
    visits_frame(duration_seconds=[bad, 0.0]).to_parquet(tmp_path / "a.parquet")
    got = open_visits().sql("SELECT duration_seconds d FROM visits ORDER BY name")["d"]
    assert got.isna().tolist() == [True, False]
    assert got[1] == 0.0


def test_files_may_differ_in_columns_and_their_order(tmp_path, visits_frame, open_visits):
    visits_frame().to_parquet(tmp_path / "a.parquet")
    newer = visits_frame(note=["n1", "n2"])
    newer[list(reversed(newer.columns))].to_parquet(tmp_path / "b.parquet")
    got = open_visits().sql("SELECT note, count(*) n FROM visits GROUP BY note ORDER BY note NULLS FIRST")
    assert got["n"].tolist() == [2, 1, 1]
    assert got["note"].tolist()[1:] == ["n1", "n2"]


def test_csv_and_json_lines_are_read_too(tmp_path, visits_frame, open_visits):
    visits_frame().to_csv(tmp_path / "a.csv", index=False)
    visits_frame().to_json(tmp_path / "a.jsonl", orient="records", lines=True, date_format="iso")
    for pattern in ("*.csv", "*.jsonl"):
        got = open_visits(pattern, columns={"timestamp": "CAST(timestamp AS TIMESTAMPTZ)"}).sql(
            "SELECT sum(size) total, max(timestamp) latest FROM visits"
        )
        assert got["total"].tolist() == [3]
        assert got["latest"].dt.floor("s").tolist() == [pd.Timestamp("2026-10-26T23:59:59Z")]


CSV = """\
timestamp,name,status,size,duration_seconds,is_new,note
2026-10-26T09:00:00+09:00,1.20,200,1,0.5,true,
2026-10-27T08:59:59.999999+09:00,1.3,,2,,false,
"""
ARRAY = """[
  {"timestamp": "2026-10-26T09:00:00+09:00", "name": "1.20", "status": 200, "size": 1, "duration_seconds": 0.5,
   "is_new": true, "note": null, "more": {"than": ["is needed"]}},
  {"timestamp": "2026-10-26T23:59:59.999999Z", "name": "1.3", "size": 2, "is_new": false}
]"""


@pytest.mark.parametrize(("name", "text"), [("a.csv", CSV), ("a.json", ARRAY)])
def test_small_tables_may_be_written_by_hand(tmp_path, open_visits, name, text):
    (tmp_path / name).write_text(text)
    got = open_visits(name).sql("SELECT * FROM visits ORDER BY size")
    assert got["timestamp"].tolist() == [
        pd.Timestamp("2026-10-26T00:00:00Z"),
        pd.Timestamp("2026-10-26T23:59:59.999999Z"),
    ]
    assert got["name"].tolist() == ["1.20", "1.3"]  # versions, not numbers
    assert got["status"].tolist() == [200, pd.NA]
    assert got["note"].isna().all()


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.csv", CSV.splitlines()[0] + "\n"), ("a.csv", ""), ("a.json", "[]"), ("a.jsonl", "")],
)
def test_a_table_in_which_nothing_was_written_yet_is_empty(tmp_path, open_visits, name, text):
    (tmp_path / name).write_text(text)
    got = open_visits(name).sql("SELECT * FROM visits")
    assert (len(got), got["timestamp"].dtype) == (0, "datetime64[us, UTC]")


def test_text_that_is_no_time_is_shown(tmp_path, open_visits):
    (tmp_path / "a.csv").write_text(CSV.replace("2026-10-27T08:59:59.999999+09:00", "soon"))
    with pytest.raises(DataError) as caught:
        open_visits("a.csv").sql("SELECT * FROM visits")
    assert str(caught.value) == (
        f"warehouse w (w.yaml:3): table visits: column timestamp must be TIMESTAMP, but timestamp is VARCHAR in "
        f"{tmp_path / 'a.csv'}, and 'soon' is not a time such as 2026-10-26T14:00:00+09:00\n"
        "Convert it in the warehouse file, tables.visits.columns.timestamp: write CAST(timestamp AS TIMESTAMPTZ)"
    )


def test_times_in_a_form_of_their_own_are_converted_in_the_mapping(tmp_path, open_visits):
    (tmp_path / "a.csv").write_text(CSV.replace("2026-10-27T08:59:59.999999+09:00", "27.10.2026 08:59"))
    columns = {"timestamp": "coalesce(try_cast(timestamp AS TIMESTAMPTZ), strptime(timestamp, '%d.%m.%Y %H:%M'))"}
    got = open_visits("a.csv", columns=columns).sql("SELECT max(timestamp) AS last FROM visits")
    assert got["last"].tolist() == [pd.Timestamp("2026-10-27T08:59:00Z")]


def test_a_missing_column_names_the_file_the_columns_and_the_nearest(tmp_path, visits_frame, open_visits):
    visits_frame(status=None).assign(statuss=1).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError) as error:
        open_visits().sql("SELECT * FROM visits")
    message = str(error.value)
    assert message.startswith("warehouse w (w.yaml:3): table visits: no column 'status' in ")
    assert "a.parquet" in message and "there are: timestamp, name, size" in message
    assert "did you mean 'statuss'?" in message and "tables.visits.columns.status" in message


def test_a_mapped_column_that_is_not_there_is_an_error_even_if_optional(tmp_path, visits_frame, open_visits):
    visits_frame(remark=["x", "y"]).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"no column 'remarks' in .*did you mean 'remark'\?"):
        open_visits(columns={"note": "remarks"}).sql("SELECT * FROM visits")


def test_an_expression_that_does_not_work_is_explained(tmp_path, visits_frame, open_visits):
    visits_frame().to_parquet(tmp_path / "a.parquet")
    with pytest.raises(
        DataError, match=r"column name: the expression 'upper\(nobody\)' does not work(.|\n)*Columns there"
    ):
        open_visits(columns={"name": "upper(nobody)"}).sql("SELECT * FROM visits")


def test_a_condition_that_does_not_work_is_explained(tmp_path, visits_frame, open_visits):
    visits_frame().to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"w\.yaml:3\): table visits: (.|\n)*nobody"):
        open_visits(where="nobody = 1").sql("SELECT * FROM visits")


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        (
            "timestamp",
            ["2026-10-26", "x"],
            "timestamp must be TIMESTAMP.* is VARCHAR(.|\n)*CAST\\(timestamp AS TIMESTAMPTZ\\)",
        ),
        ("timestamp", [1, 2], "timestamp must be TIMESTAMP.* is BIGINT(.|\n)*to_timestamp\\(timestamp\\)"),
        ("status", ["200", "-"], "status must be INT64.* is VARCHAR(.|\n)*TRY_CAST\\(status AS BIGINT\\)"),
        ("status", [200.0, None], "status must be INT64.* is DOUBLE(.|\n)*CAST\\(status AS BIGINT\\)"),
        ("size", ["1", "2"], "size must be INT64.* is VARCHAR(.|\n)*TRY_CAST\\(size AS BIGINT\\)"),
        ("duration_seconds", ["1", "2"], "duration_seconds must be FLOAT64.* is VARCHAR(.|\n)*TRY_CAST"),
        ("name", [1.5, 2.5], "name must be STRING.* is DOUBLE"),
        ("is_new", [0, 1], "is_new must be BOOL.* is BIGINT"),
    ],
)
def test_a_wrong_type_is_refused_with_what_to_write(tmp_path, visits_frame, open_visits, column, values, message):
    visits_frame(**{column: values}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=message):
        open_visits().sql("SELECT * FROM visits")


def test_no_file_is_an_error_that_says_where_it_was_looked_for(tmp_path, open_visits):
    with pytest.raises(DataError, match=r"w\.yaml:3\): table visits: no file matches .*\*\.parquet"):
        open_visits().sql("SELECT * FROM visits")


def test_a_broken_file_is_named(tmp_path, visits_frame, open_visits):
    visits_frame().to_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_text("not Parquet at all")
    with pytest.raises(DataError, match=r"b\.parquet"):
        open_visits().parts("visits")
    with pytest.raises(DataError, match=r"\.parquet"):
        open_visits().sql("SELECT * FROM visits")


# --- results and parameters ---------------------------------------------------------------------------------


def test_sums_are_64_bit_integers(tmp_path, visits_frame, open_visits):
    visits_frame(size=[2**53, 1]).to_parquet(tmp_path / "a.parquet")
    warehouse = open_visits()
    frame = to_frame(warehouse.select(sum_of("size"), TOTAL, {}), TOTAL)
    assert frame["total"].dtype == "int64"
    assert frame["total"].tolist() == [2**53 + 1]
    assert warehouse.sql("SELECT sum(size) total FROM visits")["total"].tolist() == [2**53 + 1]


def test_a_sum_beyond_64_bits_is_an_error(tmp_path, visits_frame, open_visits):
    visits_frame(size=[2**63 - 1, 1]).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"total\.total: does not fit INT64"):
        open_visits().select(sum_of("size"), TOTAL, {})


def test_a_count_that_is_null_is_an_error(tmp_path, visits_frame, open_visits):
    visits_frame(status=pd.array([None, None], dtype="Int64")).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"total\.total: 1 row\(s\) are NULL"):
        open_visits().select(sum_of("status"), TOTAL, {})


def test_a_timestamp_without_a_zone_in_a_result_is_an_error():
    at = FrameContract("at", "row", {"at": Column("TIMESTAMP", "")})
    naive = pa.table({"at": pa.array([datetime(2026, 1, 1)], pa.timestamp("us"))})  # noqa: DTZ001
    with pytest.raises(DataError, match=r"at\.at: a TIMESTAMP needs a time zone"):
        to_frame(naive, at)


def test_text_in_a_parameter_is_a_value(tmp_path, visits_frame, open_visits):
    nasty = "b'; DROP VIEW visits; --"
    visits_frame(name=["a", nasty]).to_parquet(tmp_path / "a.parquet")
    warehouse = open_visits()
    for names, expected in (([nasty], [nasty]), (["a", "zz"], ["a"]), ([], [])):
        assert to_frame(warehouse.select(BY_NAME, NAMES, {"names": names}), NAMES)["name"].tolist() == expected
    assert warehouse.sql("SELECT count(*) n FROM visits WHERE name = $name", name=nasty)["n"].tolist() == [1]


def test_parameters_must_be_exactly_those_in_the_text(tmp_path, visits_frame, open_visits):
    visits_frame().to_parquet(tmp_path / "a.parquet")
    with pytest.raises(
        QueryError, match=r"query by_name: parameters missing: \['names'\]; not in the text: \['name'\]"
    ):
        open_visits().select(BY_NAME, NAMES, {"name": ["a"]})


def test_a_failing_statement_says_what_failed_where_and_with_what(tmp_path, visits_frame, open_visits):
    visits_frame().to_parquet(tmp_path / "a.parquet")
    with pytest.raises(QueryError) as error:
        open_visits().sql("SELECT nothing FROM visits WHERE name = $name", name="x" * 1000)
    message = str(error.value)
    assert message.startswith("query sql failed in warehouse w (DuckDB): ")
    assert "nothing" in message and "parameters: name = 'xxx" in message
    assert "x" * 300 not in message


def test_a_query_reads_only_the_files_it_is_given(tmp_path, visits_frame, open_visits):
    for n in (1, 2, 4):
        visits_frame(size=[n, 0]).to_parquet(tmp_path / f"{n}.parquet")
    warehouse = open_visits()

    def total(*names):
        files = {"visits": [tmp_path / f"{n}.parquet" for n in names]}
        return warehouse.select(sum_of("size"), TOTAL, {}, files=files).column("total")[0].as_py()

    assert [total(1), total(2, 4), total(1)] == [1, 6, 1]
    assert warehouse.sql("SELECT sum(size) s FROM visits")["s"].tolist() == [7]


def test_a_changed_file_is_read_anew(tmp_path, visits_frame, open_visits):
    visits_frame().to_parquet(tmp_path / "a.parquet")
    warehouse = open_visits()
    assert warehouse.sql("SELECT sum(size) s FROM visits")["s"].tolist() == [3]
    visits_frame(size=[10, 20], note=["x", "y"]).to_parquet(tmp_path / "a.parquet")
    got = warehouse.sql("SELECT sum(size) s, max(note) note FROM visits")
    assert got["s"].tolist() == [30] and got["note"].tolist() == ["y"]


def test_statements_are_logged(tmp_path, visits_frame, open_visits):
    for name in ("a", "b"):
        visits_frame().to_parquet(tmp_path / f"{name}.parquet")
    size = sum(path.stat().st_size for path in tmp_path.glob("*.parquet"))
    warehouse = open_visits()
    warehouse.select(BY_NAME, NAMES, {"names": ["a"]})
    warehouse.sql("SELECT 1 AS one")
    named, ad_hoc = warehouse.queries
    assert (named.name, named.sha256, named.row_count, named.bytes) == (
        "by_name",
        hashlib.sha256(BY_NAME.text.encode()).hexdigest(),
        2,
        size,
    )
    assert (ad_hoc.name, ad_hoc.row_count, ad_hoc.bytes) == ("sql", 1, 0)
    assert ad_hoc.sha256 == hashlib.sha256(b"SELECT 1 AS one").hexdigest()


def test_results_do_not_depend_on_the_machines_time_zone(tmp_path, visits_frame):
    naive = pd.to_datetime(["2026-10-25 23:30:00", "2026-10-26 00:30:00"])
    visits_frame(timestamp=naive).to_parquet(tmp_path / "naive.parquet")
    visits_frame().to_parquet(tmp_path / "zoned.parquet")
    program = textwrap.dedent(
        f"""
        from pathlib import Path
        from shokubai.core.frames import Column, FrameContract
        from shokubai.sources import DuckDbWarehouse, FileTable
        contract = FrameContract("visits", "visit", {{"timestamp": Column("TIMESTAMP", "")}})
        folder = Path({str(tmp_path)!r})
        for name in ("naive", "zoned"):
            table = FileTable(contract, lambda: (folder / f"{{name}}.parquet",), "here")
            warehouse = DuckDbWarehouse("w", [table], spill=folder / "spill")
            frame = warehouse.sql(
                "SELECT timestamp, CAST(timestamp AS DATE) d, date_trunc('week', timestamp) w FROM visits ORDER BY 1"
            )
            print(frame.astype(str).to_csv(), [p.days for p in warehouse.parts("visits")])
        """
    )

    def output(zone):
        environment = {**os.environ, "TZ": zone}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    there = output("America/New_York")
    assert "2026-10-25 23:30:00+00:00,2026-10-25" in there
    assert there == output("UTC") == output("Asia/Tokyo")


# --- which days a file holds --------------------------------------------------------------------------------


def days_of(warehouse):
    return [part.days for part in warehouse.parts("visits")]


def write_groups(path, visits_frame, *groups):
    """A Parquet file with one row group per list of timestamps."""
    frames = [visits_frame().iloc[[0] * len(g)].assign(timestamp=pd.to_datetime(g, format="ISO8601")) for g in groups]
    tables = [pa.Table.from_pandas(frame, preserve_index=False) for frame in frames]
    with pq.ParquetWriter(path, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table)


def test_days_come_from_each_row_group(tmp_path, visits_frame, open_visits):
    write_groups(
        tmp_path / "a.parquet",
        visits_frame,
        ["2026-10-26T23:59:59.999999Z", "2026-10-25T00:00:00Z"],
        ["2026-10-27T00:00:00Z"],
        ["2026-11-05T12:00:00Z"],
    )
    assert days_of(open_visits()) == [
        ((date(2026, 10, 25), date(2026, 10, 27)), (date(2026, 11, 5), date(2026, 11, 5)))
    ]
    (part,) = open_visits().parts("visits")
    assert part.holds(date(2026, 10, 26)) and part.holds(date(2026, 11, 5)) and not part.holds(date(2026, 10, 28))
    assert datetime.fromtimestamp(part.first_us / 1e6, UTC) == datetime(2026, 10, 25, tzinfo=UTC)


def test_days_of_timestamps_without_a_zone_and_in_nanoseconds(tmp_path, visits_frame, open_visits):
    naive = pd.to_datetime(["2026-10-26T23:59:59.999999999", "2026-10-26T00:00:00"], format="ISO8601").astype(
        "datetime64[ns]"
    )
    visits_frame(timestamp=naive).to_parquet(tmp_path / "a.parquet")
    assert days_of(open_visits()) == [((date(2026, 10, 26), date(2026, 10, 26)),)]


def test_days_of_an_expression_are_asked_of_the_rows(tmp_path, visits_frame, open_visits):
    visits_frame(timestamp=None).assign(happened=[1793059200, 1793059199]).to_parquet(tmp_path / "a.parquet")
    assert days_of(open_visits(columns={"timestamp": "to_timestamp(happened)"})) == [
        ((date(2026, 10, 26), date(2026, 10, 27)),)
    ]


def test_a_condition_is_kept_when_days_are_looked_for(tmp_path, visits_frame, open_visits):
    times = pd.to_datetime(["2026-10-20T00:00Z", "2026-10-26T00:00Z"])
    visits_frame(timestamp=times).to_parquet(tmp_path / "a.parquet")
    assert days_of(open_visits(where="size = 2")) == [((date(2026, 10, 26), date(2026, 10, 26)),)]


def test_a_file_without_timestamps_holds_no_day(tmp_path, visits_frame, open_visits):
    visits_frame(timestamp=pd.to_datetime([None, None], utc=True)).to_parquet(tmp_path / "a.parquet")
    visits_frame().iloc[:0].to_parquet(tmp_path / "b.parquet")
    assert days_of(open_visits()) == [(), ()]


def test_an_unchanged_file_is_not_looked_at_again(tmp_path, visits_frame, open_visits):
    visits_frame().to_parquet(tmp_path / "a.parquet")
    known = open_visits().parts("visits")
    marked = [type(p)(p.path, p.version, p.bytes, 0, 0, ((date(1999, 1, 1), date(1999, 1, 1)),)) for p in known]
    assert open_visits().parts("visits", known=marked) == tuple(marked)
    visits_frame(size=[5, 6]).to_parquet(tmp_path / "a.parquet")
    assert open_visits().parts("visits", known=marked)[0].days == ((date(2026, 10, 26), date(2026, 10, 26)),)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("DROP VIEW visits", "DROP"),
        ("COPY (SELECT 1) TO 'here.csv'", "COPY"),
        ("SELECT 1; DROP VIEW visits", "SELECT; DROP"),
        ("", "nothing"),
    ],
)
def test_ad_hoc_sql_only_reads(tmp_path, visits_frame, open_visits, monkeypatch, text, found):
    visits_frame().to_parquet(tmp_path / "visits.parquet")
    monkeypatch.chdir(tmp_path)
    warehouse = open_visits()
    with pytest.raises(QueryError, match=rf"one statement that reads .*, found {found};"):
        warehouse.sql(text)
    assert not (tmp_path / "here.csv").exists()
    assert len(warehouse.sql("FROM visits"))
