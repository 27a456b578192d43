"""Every construct on the allow-list has one value in GoogleSQL and in DuckDB: the one worked by hand, and one for
everything awkward."""

import math
from datetime import UTC, datetime

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from shokubai.core import sketch
from shokubai.core.errors import NotPortableError
from shokubai.sources import load_query
from shokubai.sources.dialect import translate

pytestmark = pytest.mark.googlesql

HAND_WORKED_TABLES = {
    "numbers": pa.table({"n": pa.array([1, None, 3, 3], pa.int64()), "x": pa.array([0.5, None, 2.5, 1.0])}),
    "empty": pa.table({"n": pa.array([], pa.int64())}),
}
TIMESTAMP = pa.timestamp("us", "UTC")
MOST, LEAST = 2**63 - 1, -(2**63)
FLOATS = [
    *(None, 0.0, -0.0, 5e-324, -5e-324, 0.1, 0.2, 0.3, 0.5, 0.49999999999999994, 1.0, 1.5, 2.5, -0.5, -2.5),
    *(1e9 + 0.5, 2.0**52 + 0.5, 2.0**52 + 1.5, 2.0**53, 1e15 + 0.3, 1e300, -1e300, math.inf, -math.inf),
]
INTEGERS = [None, 0, 1, -1, 2, 3, -7, 10, 2**31, 2**53 + 1, -(2**53) - 1, MOST, LEAST]
STRINGS = [None, "", "a", "A", "ä", "a\u0308", "ﬁ", "😀", "表", "a b", "it's", "\\", "%", "a\0b"]
INSTANTS = [
    None,
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2026, 10, 26, 0, 0, 29, 600_001, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
]


def texts(table):
    """Rows whose text tells apart 1 and 1.0, 0.0 and -0.0, and floats that differ in the last bit."""
    utc = {
        name: [v.astimezone(UTC) if isinstance(v, datetime) else v for v in c]
        for name, c in table.to_pydict().items()
    }
    return [repr(row) for row in zip(*utc.values(), strict=True)]


def in_duckdb(sql, tables, parameters=None, types=()):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name, table in tables.items():
        connection.register(name, table)
    translated = translate(sql, types=tuple(types)).duckdb
    return connection.sql(translated, params=parameters).to_arrow_table()


def pairs(values, type_, keep=lambda a, b: True):
    """The table p of every value with every value, numbered."""
    kept = [(a, b) for a in values for b in values if a is None or b is None or keep(a, b)]
    columns = [pa.array(column, type_) for column in zip(*kept, strict=True)]
    return {"p": pa.table([pa.array(range(len(kept)), pa.int64()), *columns], names=["i", "a", "b"])}


OF_EACH_TYPE = {
    "FLOAT64": pairs(FLOATS, pa.float64()),
    "INT64": pairs(INTEGERS, pa.int64()),
    "STRING": pairs(STRINGS, pa.string()),
    "TIMESTAMP": pairs(INSTANTS, TIMESTAMP),
}


def test_a_construct_has_the_values_worked_by_hand(googlesql, hand_worked):
    sql, values, expected, types = hand_worked
    given = {name: (type_, values[name]) for name, type_ in types if name in values}
    table = googlesql.evaluate(sql, tables=HAND_WORKED_TABLES, parameters=given)
    assert texts(table) == [repr(row) for row in expected]


@pytest.mark.parametrize("type_", OF_EACH_TYPE)
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT i, a = b AS e, a < b AS l, a <= b AS m, a > b AS g, a >= b AS h FROM p ORDER BY i",
        "SELECT i, a BETWEEN b AND b AS w FROM p ORDER BY i",
        "SELECT i, COALESCE(a, b) AS c, IF(a = b, a, b) AS f, CASE WHEN a < b THEN a END AS w FROM p ORDER BY i",
        "SELECT i, GREATEST(a, b) AS g FROM p ORDER BY i",
        "SELECT a AS a, COUNT(*) AS n, COUNT(b) AS c, COUNTIF(a > b) AS f FROM p GROUP BY a ORDER BY a",
        "SELECT DISTINCT a FROM p ORDER BY a",
        "SELECT MAX(a) AS x, MIN(a) AS n FROM p WHERE NOT a = b",
        "WITH q AS (SELECT DISTINCT b FROM p) SELECT p.i, q.b FROM p LEFT JOIN q ON q.b = p.a ORDER BY p.i",
        "WITH q AS (SELECT i, a, b FROM p WHERE i < 40) "
        "SELECT p.i, q.i AS j FROM p JOIN q ON p.a >= q.a AND p.a < q.b ORDER BY p.i, j",
    ],
)
def test_awkward_values_compare_group_sort_and_join_alike(googlesql, sql, type_):
    tables = OF_EACH_TYPE[type_]
    assert texts(in_duckdb(sql, tables)) == texts(googlesql.evaluate(sql, tables=tables))


@pytest.mark.parametrize(
    ("expression", "tables"),
    [
        ("a - b", pairs(INTEGERS, pa.int64(), lambda a, b: LEAST <= a - b <= MOST)),
        ("a - b", pairs(FLOATS, pa.float64())),
        ("a / b", pairs(INTEGERS, pa.int64(), lambda a, b: b != 0)),
        (
            "a / b",
            pairs(FLOATS, pa.float64(), lambda a, b: b != 0 and (abs(b) > 1e-300 or not 0 < abs(a) < math.inf)),
        ),
        ("MOD(a, b)", pairs(INTEGERS, pa.int64(), lambda a, b: b != 0 and (a, b) != (LEAST, -1))),
        ("CAST(a AS INT64)", pairs([v for v in FLOATS if v is None or abs(v) < 2**63], pa.float64())),
        ("CAST(a AS INT64)", pairs(INTEGERS, pa.int64())),
        ("CEIL(a)", pairs(FLOATS, pa.float64())),
        ("CEIL(a)", pairs(INTEGERS, pa.int64())),
        ("LN(a)", pairs([v for v in FLOATS if v is None or v > 0], pa.float64())),
        ("UNIX_MICROS(a)", pairs(INSTANTS, TIMESTAMP)),
        ("TIMESTAMP_MICROS(UNIX_MICROS(a) - MOD(UNIX_MICROS(a), 3600000000))", pairs(INSTANTS, TIMESTAMP)),
        ("a || b", pairs(STRINGS, pa.string())),
    ],
    ids=lambda part: part if isinstance(part, str) else str(part["p"].schema.field("a").type),
)
def test_awkward_values_give_one_result(googlesql, expression, tables):
    sql = f"SELECT i, {expression} AS value FROM p ORDER BY i"
    assert texts(in_duckdb(sql, tables)) == texts(googlesql.evaluate(sql, tables=tables))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("v / 0", 1.0),
        ("MOD(v, 0)", 1),
        ("LN(v)", 0.0),
        ("LN(v)", -1.0),
        ("v - 1", LEAST),
        ("CAST(v AS INT64)", 9.3e18),
        ("CAST(v AS INT64)", math.inf),
    ],
)
def test_what_fails_in_one_fails_in_both(googlesql, refused, expression, value):
    sql, tables = f"SELECT {expression} AS value FROM t", {"t": pa.table({"v": [value]})}
    with pytest.raises(refused):
        googlesql.evaluate(sql, tables=tables)
    with pytest.raises(duckdb.Error):
        in_duckdb(sql, tables)


@pytest.mark.parametrize(
    "text", [r"\u00e9", r"\x41", r"\101", r"\U0001F600", r"\a\b\f\n\r\t\v\?\\\"\'\`", "é", "%_", "--"]
)
def test_literals_mean_the_same_or_are_refused(googlesql, text):
    sql = f"SELECT '{text}' AS s"
    try:
        found = texts(in_duckdb(sql, {}))
    except NotPortableError:
        return
    assert found == texts(googlesql.evaluate(sql))


@pytest.mark.parametrize(
    "number", ["0.1", "0.29", ".5", "5.", "1e3", "0.1e1", "123456789012345678901.5", "4.9e-324", str(MOST)]
)
def test_numbers_mean_the_same(googlesql, number):
    sql = f"SELECT {number} AS n, {number} - 1 AS m, {number} / 3 AS d"
    assert texts(in_duckdb(sql, {})) == texts(googlesql.evaluate(sql))


def test_a_duration_falls_into_one_bucket(googlesql):
    """Of hour_latency.sql, in both engines and in Python, for every border of a bucket and its neighbours."""
    borders = np.array([sketch.GAMMA**k for k in range(-1100, 1100)])
    random = np.random.default_rng(20261026)
    seconds = np.concatenate(
        [
            borders,
            np.nextafter(borders, 0),
            np.nextafter(borders, np.inf),
            np.exp(random.normal(-2, 4, 1000)),
            [0.0, 1e-9],
        ]
    )
    instant = datetime(2026, 10, 26, tzinfo=UTC)
    n = len(seconds)
    requests = pa.table(
        {
            "timestamp": pa.array([instant] * n, TIMESTAMP),
            "service_name": pa.array([""] * n),
            "http_request_method": pa.array([""] * n),
            "http_route": pa.array([f"{k:05}" for k in range(n)]),
            "duration_seconds": pa.array(seconds),
        }
    )
    query = load_query("shokubai.tables.queries", "hour_latency")
    values = {
        "start": instant,
        "end": datetime(2026, 10, 27, tzinfo=UTC),
        "grain_us": 3_600_000_000,
        "gamma": sketch.GAMMA,
        "smallest_seconds": sketch.SMALLEST_SECONDS,
        "zero_key": sketch.ZERO_KEY,
    }
    typed = {name: (query.types[name], value) for name, value in values.items()}
    reference = googlesql.evaluate(query.text, tables={"requests": requests}, parameters=typed)
    found = in_duckdb(query.text, {"requests": requests}, values, query.types.items())
    expected = [sketch.key(float(v)) for v in seconds]
    assert found.column("duration_bucket").to_pylist() == expected
    assert reference.column("duration_bucket").to_pylist() == expected


@pytest.mark.parametrize(
    ("sql", "values", "duckdb_gives", "googlesql_gives"),
    [
        # DuckDB sorts NaN above all numbers; warehouses give NULL instead.
        ("SELECT v > 1 AS r FROM t", [math.nan], "(True,)", "(False,)"),
        ("SELECT v = v AS r FROM t", [math.nan], "(True,)", "(False,)"),
        ("SELECT MIN(v) AS r FROM t", [1.0, math.nan], "(1.0,)", "(nan,)"),
        # Numbers too large for FLOAT64.
        ("SELECT v / 1e-300 AS r FROM t", [1e300], "(inf,)", "double overflow"),
        # Sums are rounded where they are added up; the evaluator keeps more digits than either engine does.
        ("SELECT AVG(v) AS r FROM t", [0.1, 0.1, 0.1], "(0.10000000000000002,)", "(0.1,)"),
    ],
)
def test_where_equality_ends(googlesql, refused, sql, values, duckdb_gives, googlesql_gives):
    """What dialect.py says is not equal, so that it is known when it changes."""
    tables = {"t": pa.table({"v": values})}
    assert texts(in_duckdb(sql, tables)) == [duckdb_gives]
    try:
        assert texts(googlesql.evaluate(sql, tables=tables)) == [googlesql_gives]
    except refused as refusal:
        assert googlesql_gives in str(refusal)
