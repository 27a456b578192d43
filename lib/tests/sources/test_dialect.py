"""The values of every construct on the allow-list, against what GoogleSQL's reference says, and what is refused.

Expected values are worked by hand from the GoogleSQL function and operator reference; none is copied from a run.
"""

import math
from datetime import UTC, datetime, timedelta, timezone

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from shokubai.core.errors import NotPortableError
from shokubai.sources.dialect import ALLOWED, translate

NOON = datetime(2026, 10, 26, 12, tzinfo=UTC)
TYPES = (
    ("x", "FLOAT64"),
    ("n", "INT64"),
    ("zero", "INT64"),
    ("s", "STRING"),
    ("b", "BOOL"),
    ("t", "TIMESTAMP"),
    ("list", "ARRAY<INT64>"),
    ("rows", "ARRAY<STRUCT<k STRING, v FLOAT64>>"),
)


def run(sql, parameters=None):
    """The rows of a GoogleSQL statement over the tables `numbers` (n, x) and `empty` (n)."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        "CREATE TABLE numbers AS FROM (VALUES (1, 0.5::DOUBLE), (NULL, NULL), (3, 2.5), (3, 1.0)) v(n, x)"
    )
    connection.execute("CREATE TABLE empty (n BIGINT)")
    translation = translate(sql, types=TYPES)
    given = {name: (parameters or {})[name] for name in translation.parameters}
    table = connection.sql(translation.duckdb, params=given).to_arrow_table()
    return [tuple(row.values()) for row in table.to_pylist()]


ROWS = [{"k": "a", "v": 1}, {"k": None, "v": 2.5}, {"k": "b", "v": None}]
CASES = [
    # literals are FLOAT64, not DECIMAL: 0.3 - 0.1 is 0.19999999999999998
    ("SELECT 0.3 - 0.1 = 0.2 AS a, 0.3 - 0.1 AS d", {}, [(False, 0.3 - 0.1)]),
    # escapes in strings
    (r"SELECT 'it\'s' AS a, 'x\ty' AS b, '\\' AS c", {}, [("it's", "x\ty", "\\")]),
    # operators and their three values; of a literal NULL, GoogleSQL has no operators but IS, AND and OR
    (
        "SELECT @n = @n AS a, NOT @b AS b, (TRUE OR NULL) AS c, TRUE AND NULL AS d",
        {"n": None, "b": None},
        [(None, None, True, None)],
    ),
    (
        "SELECT 1 < 2 AS a, 2 <= 2 AS b, 2 > 2 AS c, 2 >= 2 AS d, @n < 1 AS e",
        {"n": None},
        [(True, True, False, True, None)],
    ),
    ("SELECT NULL IS NULL AS a, 0 IS NULL AS b, @s IS NULL AS c", {"s": None}, [(True, False, True)]),
    ("SELECT 5 BETWEEN 5 AND 6 AS a, 6 BETWEEN 5 AND 6 AS b, NULL BETWEEN 5 AND 6 AS c", {}, [(True, True, None)]),
    ("SELECT 7 / 2 AS a, @n / 4 AS b", {"n": -1}, [(3.5, -0.25)]),
    ("SELECT 'a' || '' || 'b' AS a, 'a' || @s AS b", {"s": "' OR 1"}, [("ab", "a' OR 1")]),
    ("SELECT 'a' || @s AS a", {"s": None}, [(None,)]),
    # membership: FALSE in an empty array even for NULL; NULL when only a NULL element could match
    ("SELECT 1 IN UNNEST(@list) AS a, NULL IN UNNEST(@list) AS b", {"list": []}, [(False, False)]),
    ("SELECT 1 IN UNNEST(@list) AS a, NULL IN UNNEST(@list) AS b", {"list": [1]}, [(True, None)]),
    ("SELECT 1 IN UNNEST(@list) AS a, 2 IN UNNEST(@list) AS b", {"list": [1, None]}, [(True, None)]),
    # as a condition: neither FALSE nor NULL keeps a row
    ("SELECT n FROM numbers WHERE n IN UNNEST(@list) AND x > 2", {"list": [3, None]}, [(3,)]),
    ("SELECT n FROM numbers WHERE n IN UNNEST(@list)", {"list": [None]}, []),
    ("SELECT n FROM numbers WHERE (n IN UNNEST(@list)) AND TRUE", {"list": []}, []),
    ("SELECT n FROM numbers WHERE NOT (n IN UNNEST(@list))", {"list": [3]}, [(1,)]),
    ("SELECT n FROM numbers WHERE n IN UNNEST(@list) OR n IS NULL ORDER BY n", {"list": [1]}, [(None,), (1,)]),
    # functions of one row
    (
        "SELECT CAST(@x AS INT64) AS a, CAST(2.5 AS INT64) AS b, CAST(0.5 AS INT64) AS c, CAST(2.4 AS INT64) AS d",
        {"x": -2.5},
        [(-3, 3, 1, 2)],
    ),
    ("SELECT CEIL(1.2) AS a, CEIL(@x) AS b", {"x": -1.2}, [(2.0, -1.0)]),
    ("SELECT CEIL(@x) AS a, @n / 0 AS b, MOD(@n, 0) AS c", {"x": None, "n": None}, [(None, None, None)]),
    ("SELECT LN(1) AS a, LN(@x) AS b", {"x": math.e}, [(0.0, 1.0)]),
    ("SELECT GREATEST(1, 3, 2) AS a, GREATEST(1, NULL) AS b", {}, [(3, None)]),
    ("SELECT COALESCE(NULL, NULL, 'x') AS a, COALESCE(NULL, 1) AS b", {}, [("x", 1)]),
    ("SELECT IF(TRUE, 1, 2) AS a, IF(NULL, 1, 2) AS b", {}, [(1, 2)]),
    ("SELECT CASE WHEN NULL THEN 1 WHEN TRUE THEN 2 END AS a, CASE WHEN FALSE THEN 1 END AS b", {}, [(2, None)]),
    ("SELECT MOD(7, 3) AS a, MOD(@n, 3) AS b, MOD(7, @zero - 3) AS c", {"n": -7, "zero": 0}, [(1, -1, 1)]),
    # instants: whole microseconds, kept with their zone
    (
        "SELECT UNIX_MICROS(@t) AS a, UNIX_MICROS(@t) - MOD(UNIX_MICROS(@t), @n) AS b",
        {"t": datetime(1970, 1, 1, 0, 1, 59, 999_999, tzinfo=UTC), "n": 60_000_000},
        [(119_999_999, 60_000_000)],
    ),
    (
        "SELECT TIMESTAMP_MICROS(UNIX_MICROS(@t) - MOD(UNIX_MICROS(@t), @n)) AS a, @t = TIMESTAMP_MICROS(@zero) AS b",
        {
            "t": datetime(2026, 10, 26, 21, 0, 59, 600_000, tzinfo=timezone(timedelta(hours=9))),
            "n": 60_000_000,
            "zero": 0,
        },
        [(NOON, False)],
    ),
    # aggregates, over rows with NULLs and over none
    (
        "SELECT COUNT(*) AS a, COUNT(n) AS b, SUM(n) AS c, AVG(n) AS d, MAX(x) AS e, MIN(n) AS f FROM numbers",
        {},
        [(4, 3, 7, 7 / 3, 2.5, 1)],
    ),
    ("SELECT COUNTIF(n >= 3) AS a, COUNTIF(n < 3) AS b FROM numbers", {}, [(2, 1)]),
    (
        "SELECT COUNT(*) AS a, COUNTIF(n > 0) AS b, SUM(n) AS c, AVG(n) AS d, MAX(n) AS e FROM empty",
        {},
        [(0, 0, None, None, None)],
    ),
    ("SELECT n, ARRAY_AGG(n) AS l FROM numbers WHERE n > 1 GROUP BY n", {}, [(3, [3, 3])]),
    ("SELECT ARRAY_AGG(n) AS l FROM empty", {}, [(None,)]),
    # clauses: NULLs sort first, group together, are not distinct from each other, and join nothing
    ("SELECT n, COUNT(*) AS c FROM numbers GROUP BY n ORDER BY n", {}, [(None, 1), (1, 1), (3, 2)]),
    ("SELECT DISTINCT n FROM numbers ORDER BY n", {}, [(None,), (1,), (3,)]),
    ("SELECT numbers.x FROM numbers WHERE n IS NULL OR x > 2 ORDER BY x", {}, [(None,), (2.5,)]),
    ("SELECT r.k, r.v FROM UNNEST(@rows) AS r ORDER BY r.v", {"rows": ROWS}, [("b", None), ("a", 1.0), (None, 2.5)]),
    ("SELECT r.k FROM UNNEST(@rows) AS r", {"rows": []}, []),
    (
        "WITH l AS (SELECT r.k FROM UNNEST(@rows) AS r), "
        "m AS (SELECT r.k, r.v FROM UNNEST(@rows) AS r WHERE r.v > 0) "
        "SELECT l.k, m.v FROM l LEFT JOIN m ON m.k = l.k ORDER BY l.k",
        {"rows": ROWS},
        [(None, None), ("a", 1.0), ("b", None)],
    ),
    # parameters have their declared type, whatever Python gives
    ("SELECT @x / 2 AS a, @b AS b, @n AS c", {"x": 1, "b": True, "n": 2**53 + 1}, [(0.5, True, 2**53 + 1)]),
]


@pytest.mark.parametrize(("sql", "parameters", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_construct_has_googlesqls_values(sql, parameters, expected):
    got = run(sql, parameters)
    assert got == expected
    assert [[type(v) for v in row] for row in got] == [[type(v) for v in row] for row in expected] or "SUM" in sql


def test_every_construct_on_the_list_is_in_a_case():
    seen = {
        (type(node), part)
        for sql, _, _ in CASES
        for node in sqlglot.parse_one(sql, read="bigquery").walk()
        for part in [None, *(part for part, value in node.args.items() if value not in (None, False, []))]
    }
    listed = {(node, part) for node, parts in ALLOWED.items() for part in [None, *parts]}
    assert listed - seen == set()


@pytest.mark.parametrize(
    "sql", ["SELECT 1 / 0 AS a", "SELECT MOD(1, 0) AS a", "SELECT LN(0) AS a", "SELECT LN(0 - 1) AS a"]
)
def test_what_fails_in_googlesql_fails(sql):
    with pytest.raises(duckdb.Error, match=r"(?i)zero"):
        run(sql)


def test_a_null_in_an_array_is_refused():
    with pytest.raises(duckdb.Error, match="ARRAY_AGG of NULL"):
        run("SELECT ARRAY_AGG(n) AS l FROM numbers")


def test_a_failing_branch_that_is_not_taken_does_no_harm():
    assert run("SELECT IF(@x > 0, LN(@x), 0) AS a", {"x": 0}) == [(0.0,)]


@pytest.mark.parametrize(
    ("sql", "construct"),
    [
        ("SELECT UNIX_SECONDS(t) FROM a", "UNIX_SECONDS"),
        ("SELECT TIMESTAMP_TRUNC(t, WEEK) FROM a", "TIMESTAMP_TRUNC"),
        ("SELECT TIMESTAMP_DIFF(t, u, HOUR) FROM a", "TIMESTAMP_DIFF"),
        ("SELECT DATE(t) FROM a", "DATE"),
        ("SELECT TIMESTAMP_SECONDS(n) FROM a", "TIMESTAMP_SECONDS"),
        ("SELECT APPROX_QUANTILES(x, 100) FROM a", "APPROX_QUANTILE"),
        ("SELECT ARRAY_AGG(x LIMIT 1) FROM a", "LIMIT"),
        ("SELECT COUNT(DISTINCT x) FROM a", "DISTINCT"),
        ("SELECT ROUND(x, 2) FROM a", "ROUND"),
        ("SELECT CAST(x AS STRING) FROM a", "CAST AS STRING"),
        ("SELECT CAST(x AS FLOAT64) FROM a", "CAST AS FLOAT64"),
        ("SELECT SAFE_CAST(x AS INT64) FROM a", "TRY_CAST"),
        ("SELECT SAFE_DIVIDE(x, y) FROM a", "SAFE_DIVIDE"),
        ("SELECT SAFE.LN(x) FROM a", "SAFE"),
        ("SELECT NET.HOST(x) FROM a", "NET"),
        ("SELECT NO_SUCH_FUNCTION(x) FROM a", "NO_SUCH_FUNCTION"),
        ("SELECT CASE x WHEN 1 THEN 2 END FROM a", "CASE with THIS"),
        ("SELECT CASE WHEN x THEN 2 ELSE 3 END FROM a", "CASE with DEFAULT"),
        ("SELECT x IN (1, 2) FROM a", "IN with EXPRESSIONS"),
        ("SELECT * FROM a", "SELECT *"),
        ("SELECT x FROM a, b", "join without ON"),
        ("SELECT x FROM a FULL JOIN b ON a.x = b.x", "FULL join"),
        ("SELECT x FROM a JOIN b USING (x)", "join without ON"),
        ("SELECT x FROM UNNEST(@list) AS x WITH OFFSET AS o", "UNNEST with OFFSET"),
        ("SELECT x FROM p.d.a", "TABLE with"),
        ("SELECT x FROM a AS b", "TABLE with ALIAS"),
        ("SELECT -x FROM a", "NEG"),
        ("SELECT x + 1 FROM a", "ADD"),
        ("SELECT SUM(x) OVER (ORDER BY t) FROM a", "WINDOW"),
        ("SELECT x FROM a ORDER BY x DESC", "ORDERED with DESC"),
        ("SELECT x FROM a LIMIT 1", "SELECT with LIMIT"),
        ("SELECT x FROM a QUALIFY ROW_NUMBER() OVER (ORDER BY x) = 1", "QUALIFY"),
        ("SELECT x FROM a GROUP BY ROLLUP (x)", "ROLLUP"),
        ("SELECT x FROM a UNION ALL SELECT x FROM b", "exactly one SELECT"),
        ("SELECT 1; SELECT 2", "exactly one SELECT"),
        ("DROP TABLE a", "exactly one SELECT"),
        ("SELECT (SELECT MAX(x) FROM a) AS y", "SUBQUERY"),
        ("SELECT FROM WHERE", "not GoogleSQL"),
    ],
)
def test_everything_else_is_refused(sql, construct):
    with pytest.raises(NotPortableError) as refusal:
        translate(sql)
    assert construct in str(refusal.value)


def test_a_refusal_names_every_construct_with_file_and_line():
    sql = "-- a comment\nSELECT\n  x,\n  UNIX_SECONDS(t) AS s\nFROM a\nWHERE\n  x IN (1, 2)\n"
    with pytest.raises(NotPortableError) as refusal:
        translate(sql, file="queries/some.sql")
    lines = str(refusal.value).splitlines()
    assert lines[0].startswith("queries/some.sql:4: UNIX_SECONDS is not on the list")
    assert any(line.startswith("queries/some.sql:7: IN with EXPRESSIONS") for line in lines)
    assert "dialect.py" in lines[-1]


def test_tables_and_parameters_are_named_without_the_steps():
    translation = translate("WITH s AS (SELECT x FROM a WHERE x > @n) SELECT s.x FROM s LEFT JOIN b ON b.x = s.x")
    assert translation.tables == ("a", "b")
    assert translation.parameters == ("n",)


def test_the_list_is_no_wider_than_the_shipped_queries():
    from importlib.resources import files

    folders = [files(f"shokubai.tables.{package}") for package in ("queries", "log_queries")]
    texts = [f.read_text(encoding="utf-8") for folder in folders for f in folder.iterdir() if f.name.endswith(".sql")]
    used = {type(node) for text in texts for node in sqlglot.parse_one(text, read="bigquery").walk()}
    assert set(ALLOWED) - used == set()
    assert exp.Select in used
