"""GoogleSQL to DuckDB, through an allow-list.

Shipped queries are written in GoogleSQL, so that what runs in production is what a person wrote. A plain
translation gives silently wrong values for some constructs: here each construct on the list is either equal in
both dialects or rewritten until it is. ``lib/tests/sources/test_dialect.py`` holds its values, for which
``lib/tests/googlesql`` asks GoogleSQL's reference evaluator, too. Everything else is refused when the query is
loaded. To use a new construct, add it to ``ALLOWED`` together with its values.

Equality ends at NaN, which DuckDB sorts above all numbers (a duration that is NaN is read as NULL), at FLOAT64's
range and the year 9999, beyond which GoogleSQL fails, and at the last bits of a FLOAT64's sum or average.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError, UnsupportedError

from shokubai.core.errors import NotPortableError

# Which syntax a query may be made of, and which parts of it may be filled in.
ALLOWED: Mapping[type[exp.Expr], frozenset[str]] = {
    node: frozenset(parts.split())
    for node, parts in {
        # statements and clauses
        exp.Select: "with_ expressions distinct from_ joins where group order",
        exp.With: "expressions",
        exp.CTE: "this alias",
        exp.TableAlias: "this columns",
        exp.From: "this",
        exp.Table: "this",
        exp.Join: "this side on",
        exp.Unnest: "expressions alias",
        exp.Where: "this",
        exp.Group: "expressions",
        exp.Order: "expressions",
        exp.Ordered: "this nulls_first",
        exp.Distinct: "",
        exp.Alias: "this alias",
        # values
        exp.Column: "this table",
        exp.Identifier: "this",
        exp.Star: "",
        exp.Literal: "this is_string",
        exp.Boolean: "this",
        exp.Null: "",
        exp.Parameter: "this",
        exp.Var: "this",
        exp.Paren: "this",
        # operators
        exp.Sub: "this expression",
        exp.Div: "this expression",
        exp.DPipe: "this expression safe",
        exp.EQ: "this expression",
        exp.LT: "this expression",
        exp.LTE: "this expression",
        exp.GT: "this expression",
        exp.GTE: "this expression",
        exp.Between: "this low high",
        exp.In: "this unnest",
        exp.Is: "this expression",
        exp.Not: "this",
        exp.And: "this expression",
        exp.Or: "this expression",
        # functions
        exp.ArrayAgg: "this",
        exp.Avg: "this",
        exp.Case: "ifs",
        exp.Cast: "this to",
        exp.Ceil: "this",
        exp.Coalesce: "this expressions",
        exp.Count: "this big_int",
        exp.CountIf: "this",
        exp.DataType: "this",
        exp.Greatest: "this expressions",
        exp.If: "this true false",
        exp.Ln: "this",
        exp.Max: "this",
        exp.Min: "this",
        exp.Mod: "this expression",
        exp.Sum: "this",
        exp.UnixMicros: "this",
        exp.UnixToTime: "this scale",
    }.items()
}


@dataclass(frozen=True)
class Translation:
    """A statement in DuckDB's dialect, the tables it reads and the parameters it takes, sorted."""

    duckdb: str
    tables: tuple[str, ...]
    parameters: tuple[str, ...]


@lru_cache(maxsize=256)
def translate(text: str, *, types: tuple[tuple[str, str], ...] = (), file: str = "query") -> Translation:
    """The DuckDB twin of a GoogleSQL SELECT.

    ``types`` are the GoogleSQL types of the named parameters, which the twin casts them to, as BigQuery does.
    Raises NotPortableError with every construct that is not on the list, as ``file:line``.
    """
    try:
        statements = [s for s in sqlglot.parse(text, read="bigquery") if s is not None]
    except SqlglotError as error:
        where: dict[str, Any] = next(iter(getattr(error, "errors", [])), {})
        line, description = where.get("line", 1), where.get("description", str(error).splitlines()[0])
        raise NotPortableError(f"{file}:{line}: this is not GoogleSQL: {description}") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        raise NotPortableError(f"{file}:1: a query is exactly one SELECT, found {len(statements)} statement(s)")
    tree = statements[0]
    problems = [f"{file}:{_line(node)}: {problem}" for node, problem in _problems(tree)]
    if problems:
        raise NotPortableError(
            "\n".join(dict.fromkeys(problems))
            + "\nWrite it with what shokubai/sources/dialect.py lists, or add it there with tests of its values."
        )
    steps = {cte.alias for cte in tree.find_all(exp.CTE)}
    tables = tuple(sorted({t.name for t in tree.find_all(exp.Table)} - steps))
    parameters = tuple(sorted({p.name for p in tree.find_all(exp.Parameter)}))
    declared = {name: exp.DataType.build(type_, dialect="bigquery") for name, type_ in types}
    # Children before parents, so that what is put around a node holds rewritten children.
    for node in reversed(list(tree.walk())):
        equal = _equal_in_duckdb(node, declared)
        if equal is not node:
            node.replace(equal)
    try:
        duckdb = tree.sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE, comments=False)
    except UnsupportedError as error:
        raise NotPortableError(f"{file}:1: {error}") from error
    return Translation(duckdb, tables, parameters)


def _problems(tree: exp.Expr) -> Iterator[tuple[exp.Expr, str]]:
    for node in tree.walk():
        allowed = ALLOWED.get(type(node))
        if allowed is None:
            yield node, f"{_name(node)} is not on the list of constructs proven equal in DuckDB: {_excerpt(node)}"
            continue
        for part, value in node.args.items():
            if value not in (None, False, []) and part not in allowed:
                yield (
                    node,
                    f"{_name(node)} with {part.strip('_').upper()} is not proven equal in DuckDB: {_excerpt(node)}",
                )
        if refused := _refused_value(node):
            yield node, f"{refused} is not proven equal in DuckDB: {_excerpt(node)}"


def _refused_value(node: exp.Expr) -> str:
    """What is refused for its value rather than its syntax, or an empty string."""
    if isinstance(node, exp.Join) and (node.side not in ("", "LEFT") or not node.args.get("on")):
        return f"{node.side or 'comma'} join" if node.args.get("on") else "a join without ON"
    if isinstance(node, exp.Cast) and node.to.this != exp.DataType.Type.BIGINT:
        return f"CAST AS {node.to.sql(dialect='bigquery')}"
    if isinstance(node, exp.UnixToTime) and node.args.get("scale") != exp.UnixToTime.MICROS:
        return "TIMESTAMP_SECONDS or TIMESTAMP_MILLIS"
    if isinstance(node, exp.Distinct) and not isinstance(node.parent, exp.Select):
        return "DISTINCT inside a function"
    if isinstance(node, exp.Unnest) and not isinstance(node.parent, (exp.From, exp.In)):
        return "UNNEST outside FROM and IN"
    if isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
        return "SELECT *"
    return ""


def _equal_in_duckdb(node: exp.Expr, types: Mapping[str, exp.DataType]) -> exp.Expr:
    """The node, or what has the node's GoogleSQL meaning in DuckDB."""
    if isinstance(node, exp.Parameter) and node.name in types:
        # Gives empty lists, NULLs and whole numbers the declared type.
        return exp.Cast(this=node.copy(), to=types[node.name].copy())
    if isinstance(node, exp.Literal) and not node.is_string and "." in node.name and "e" not in node.name.lower():
        # 0.29 is DECIMAL in DuckDB and FLOAT64 in GoogleSQL: 0.29 * 100 >= 29 differs.
        return exp.cast(node.copy(), exp.DataType.Type.DOUBLE)
    if isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.BIGINT:
        # Ties go away from zero in GoogleSQL, to the even number in DuckDB's cast.
        rounded = exp.Round(this=node.this.copy())
        return exp.Cast(this=rounded, to=node.to.copy())
    if isinstance(node, exp.CountIf):
        # DuckDB's count_if over no rows is NULL, GoogleSQL's is 0.
        return exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=node.this.copy()))
    if isinstance(node, exp.ArrayAgg):
        # GoogleSQL gives no array with a NULL in it to anybody outside.
        element = _guarded(exp.Is(this=_grouped(node.this), expression=exp.Null()), "ARRAY_AGG of NULL", node.this)
        return exp.ArrayAgg(this=element)
    if isinstance(node, exp.In) and node.args.get("unnest") and _is_condition(node):
        # FALSE and NULL both drop a row; DuckDB skips what Parquet's statistics exclude only for a plain condition.
        array = node.args["unnest"].expressions[0]
        return exp.Anonymous(this="list_contains", expressions=[array.copy(), node.this.copy()])
    if isinstance(node, exp.UnixToTime):
        # A GoogleSQL TIMESTAMP is an instant; make_timestamp would give a wall clock.
        return exp.Anonymous(this="make_timestamptz", expressions=[node.this.copy()])
    if isinstance(node, exp.Div):
        # DuckDB gives infinity where GoogleSQL fails; NULL / 0 is NULL in both.
        is_zero = exp.EQ(this=_grouped(node.expression), expression=exp.Literal.number(0))
        is_known = exp.Not(this=exp.Is(this=_grouped(node.this), expression=exp.Null()))
        return _guarded(exp.And(this=is_zero, expression=is_known), "division by zero", node)
    if isinstance(node, exp.Ln):
        return _guarded(
            exp.LTE(this=_grouped(node.this), expression=exp.Literal.number(0)), "LN of zero or less", node
        )
    return node


def _is_condition(node: exp.Expr) -> bool:
    """Whether a row is dropped by WHERE whenever the node is not TRUE."""
    above = node.parent
    while isinstance(above, (exp.And, exp.Paren)):
        above = above.parent
    return isinstance(above, exp.Where)


def _guarded(failure: exp.Expr, message: str, node: exp.Expr) -> exp.Expr:
    refusal = exp.Anonymous(this="error", expressions=[exp.Literal.string(message)])
    return exp.Case(ifs=[exp.If(this=failure, true=refusal)], default=node.copy())


def _grouped(node: exp.Expr) -> exp.Expr:
    return exp.paren(node.copy())


def _name(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return str(node.this).upper()
    return node.sql_name() if isinstance(node, exp.Func) else type(node).__name__.upper()


def _excerpt(node: exp.Expr, length: int = 60) -> str:
    text = " ".join(node.sql(dialect="bigquery", comments=False).split())
    return text if len(text) <= length else text[: length - 1] + "…"


def _line(node: exp.Expr) -> int:
    """The line a node starts on: its own, its first child's, or the nearest one above."""
    lines = [n.meta["line"] for n in node.walk() if "line" in n.meta]
    if lines:
        return int(min(lines))
    return _line(node.parent) if node.parent else 1
