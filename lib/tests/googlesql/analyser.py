"""GoogleSQL as its authors define it: their analyser and their reference evaluator, in a WebAssembly sandbox.

The package ``zetasql`` holds Google's ZetaSQL compiled to WASI, which sees nothing of the machine but time zones.
Nothing here translates: what a statement means is decided in there. It does not know BigQuery's quotas, prices and
engine limits.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import tzdata
import wasmtime
from zetasql.wasi import get_wasm_path
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service
from zetasql.wasi._pb2.zetasql.proto import options_pb2, simple_catalog_pb2
from zetasql.wasi._pb2.zetasql.public import options_pb2 as public
from zetasql.wasi._pb2.zetasql.public.type_pb2 import TypeProto
from zetasql.wasi._pb2.zetasql.public.value_pb2 import ValueProto
from zetasql.wasi._pb2.zetasql.resolved_ast import resolved_node_kind_pb2 as node_kinds

WASM_SHA256 = "00135b44fe391fa8d56f6804dca013bc681e45d607561a638b81c98a08744bcb"

# What a SELECT may use in BigQuery, after BigQueryLanguageOptions.java of GoogleCloudPlatform/zetasql-toolkit.
FEATURES = [
    "ADDITIONAL_STRING_FUNCTIONS",
    "ALLOW_DASHES_IN_TABLE_NAME",
    "ALLOW_REGEXP_EXTRACT_OPTIONALS",
    "ANALYTIC_FUNCTIONS",
    "BIGNUMERIC_TYPE",
    "CBRT_FUNCTIONS",
    "CIVIL_TIME",
    "CONCAT_MIXED_TYPES",
    "DATE_ARITHMETICS",
    "DATE_TIME_CONSTRUCTORS",
    "DECIMAL_ALIAS",
    "EXTENDED_DATE_TIME_SIGNATURES",
    "FORMAT_IN_CAST",
    "GROUP_BY_ROLLUP",
    "HAVING_IN_AGGREGATE",
    "INTERVAL_TYPE",
    "IS_DISTINCT",
    "JSON_ARRAY_FUNCTIONS",
    "JSON_TYPE",
    "JSON_VALUE_EXTRACTION_FUNCTIONS",
    "LIKE_ANY_SOME_ALL",
    "LIMIT_IN_AGGREGATE",
    "NAMED_ARGUMENTS",
    "NULLS_FIRST_LAST_IN_ORDER_BY",
    "NULL_HANDLING_MODIFIER_IN_AGGREGATE",
    "NULL_HANDLING_MODIFIER_IN_ANALYTIC",
    "NUMERIC_TYPE",
    "ORDER_BY_IN_AGGREGATE",
    "PARAMETERIZED_TYPES",
    "PIVOT",
    "QUALIFY",
    "ROUND_WITH_ROUNDING_MODE",
    "SAFE_FUNCTION_CALL",
    "SELECT_STAR_EXCEPT_REPLACE",
    "TIME_BUCKET_FUNCTIONS",
    "UNNEST_AND_FLATTEN_ARRAYS",
    "UNPIVOT",
    "WEEK_WITH_WEEKDAY",
    "WITH_ON_SUBQUERY",
    "WITH_RECURSIVE",
]

ARROW_TYPES = {
    "INT64": pa.int64(),
    "FLOAT64": pa.float64(),
    "STRING": pa.string(),
    "BOOL": pa.bool_(),
    "NUMERIC": pa.decimal128(38, 9),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
}
_KINDS = {"FLOAT64": "DOUBLE"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Refused(Exception):
    """What GoogleSQL does not accept, or cannot compute, in its own words."""


class GoogleSql:
    """The analyser and the evaluator.

    Compiling takes half a minute and a gigabyte; wasmtime keeps the result in the user's cache directory, by the
    module's hash, its own version and the machine. Where that cannot be written, ``fallback_cache`` is.
    """

    def __init__(self, *, fallback_cache: Path) -> None:
        path = Path(get_wasm_path())
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != WASM_SHA256:
            raise AssertionError(f"{path} is not the module that was reviewed: sha256 {found}, not {WASM_SHA256}")
        config = wasmtime.Config()
        config.shared_memory = True  # the module asks for it
        try:
            config.cache = True
        except wasmtime.WasmtimeError:
            settings = fallback_cache.with_suffix(".toml")
            settings.write_text(f"[cache]\ndirectory = {json.dumps(str(fallback_cache))}\n", encoding="utf-8")
            config.cache = str(settings)
        self._engine = wasmtime.Engine(config)
        self._module = wasmtime.Module.from_file(self._engine, str(path))
        self._start()

    def analyse(
        self, sql: str, *, tables: Mapping[str, Mapping[str, str]], parameters: Mapping[str, str] | None = None
    ) -> list[tuple[str, str]]:
        """The names and types of the columns that a SELECT gives.

        ``tables`` are the columns' types by table and name, ``parameters`` the types of the named parameters. Raises
        Refused.
        """
        request = service.AnalyzeRequest(
            sql_statement=sql, options=_options(parameters or {}), simple_catalog=_catalog(tables)
        )
        answer = self._call("Analyze", request, service.AnalyzeResponse)
        columns = answer.resolved_statement.resolved_query_stmt_node.output_column_list
        return [(column.name, _type_name(column.column.type)) for column in columns]

    def evaluate(
        self,
        sql: str,
        *,
        tables: Mapping[str, pa.Table] | None = None,
        nested: Mapping[str, tuple[Mapping[str, str], Sequence[Mapping[str, Any]]]] | None = None,
        parameters: Mapping[str, tuple[str, Any]] | None = None,
    ) -> pa.Table:
        """The rows that a SELECT gives, in GoogleSQL's types.

        ``nested`` are tables of any types: those of the columns, and rows as lines of JSON hold them, in which what
        is not named is NULL. ``parameters`` are types and values by name. Raises Refused.
        """
        contents, documents, given = tables or {}, nested or {}, parameters or {}
        types: dict[str, Mapping[str, str]] = {name: _types_of(table) for name, table in contents.items()}
        types |= {name: columns for name, (columns, _) in documents.items()}
        request = service.EvaluateQueryRequest(
            sql=sql,
            options=_options({name: type_ for name, (type_, _) in given.items()}),
            simple_catalog=_catalog(types),
        )
        for name, table in contents.items():
            protos = [_type(type_) for type_ in types[name].values()]
            content = request.table_content[name].table_data
            content.SetInParent()  # a table may be empty, but not unknown
            for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
                content.row.add(cell=map(_value, row, protos))
        for name, (columns, rows_of_json) in documents.items():
            content = request.table_content[name].table_data
            content.SetInParent()
            for document in rows_of_json:
                assert set(document) <= set(columns), set(document) - set(columns)
                content.row.add(cell=[_value(document.get(c), _type(type_)) for c, type_ in columns.items()])
        for name, (type_, value) in given.items():
            request.params.add(name=name.lower(), value=_value(value, _type(type_)))
        answer = self._call("EvaluateQuery", request, service.EvaluateQueryResponse)
        rows = answer.content.table_data.row
        return pa.table(
            {
                column.name: pa.array([_python(row.cell[n], column.type) for row in rows], _arrow_type(column.type))
                for n, column in enumerate(answer.prepared.columns)
            }
        )

    def _start(self) -> None:
        sandbox = wasmtime.WasiConfig()
        sandbox.inherit_stderr()
        sandbox.preopen_dir(str(Path(tzdata.__file__).parent / "zoneinfo"), "/usr/share/zoneinfo", fs_mutable=False)
        self._store = wasmtime.Store(self._engine)
        self._store.set_wasi(sandbox)
        linker = wasmtime.Linker(self._engine)
        linker.define_wasi()
        self._exports = linker.instantiate(self._store, self._module).exports(self._store)
        self._run("_initialize")

    def _call(self, method: str, request: Any, response: Any) -> Any:
        try:
            answer = self._exchange(f"ZetaSqlLocalService_{method}", request.SerializeToString())
        except wasmtime.Trap as trap:
            self._start()  # an instance that was torn down half way is in no known state
            raise Refused(f"the evaluator broke down: {str(trap).splitlines()[0]}") from trap
        return response.FromString(answer)

    def _exchange(self, method: str, request: bytes) -> bytes:
        size = len(request)
        sent, answer_size = self._run("wasm_malloc", size), self._run("wasm_malloc", 4)
        ctypes.memmove(self._address(sent), request, size)
        answer = self._run(method, sent, size, answer_size)
        if not answer:
            failure = self._read(self._run("wasm_get_last_error"), self._run("wasm_get_last_error_size"))
            message = re.sub(r"^Code: \d+, Message: ", "", failure.decode())
        else:
            received = self._read(answer, int.from_bytes(self._read(answer_size, 4), "little"))
            self._run("wasm_free", answer)
        for pointer in (sent, answer_size):
            self._run("wasm_free", pointer)
        if not answer:
            raise Refused(message)
        return received

    def _run(self, function: str, *arguments: int) -> Any:
        return self._exports[function](self._store, *arguments)

    def _address(self, pointer: int) -> int:
        return ctypes.addressof(self._exports["memory"].data_ptr().contents) + pointer

    def _read(self, start: int, size: int) -> bytes:
        return ctypes.string_at(self._address(start), size)


def _options(parameters: Mapping[str, str]) -> Any:
    options = options_pb2.AnalyzerOptionsProto(
        default_timezone="UTC", error_message_mode=public.ERROR_MESSAGE_ONE_LINE, language_options=_language()
    )
    for name, type_ in parameters.items():
        options.query_parameters.add(name=name.lower(), type=_type(type_))
    return options


def _language() -> Any:
    return options_pb2.LanguageOptionsProto(
        name_resolution_mode=public.NAME_RESOLUTION_DEFAULT,
        product_mode=public.PRODUCT_EXTERNAL,
        enabled_language_features=[public.LanguageFeature.Value(f"FEATURE_{name}") for name in FEATURES],
        supported_statement_kinds=[node_kinds.RESOLVED_QUERY_STMT],
        reserved_keywords=["QUALIFY"],
    )


def _catalog(tables: Mapping[str, Mapping[str, str]]) -> Any:
    catalog = simple_catalog_pb2.SimpleCatalogProto(name="warehouse")
    catalog.builtin_function_options.language_options.CopyFrom(_language())
    for n, (name, columns) in enumerate(tables.items(), start=1):
        table = catalog.table.add(name=name, serialization_id=n)
        for column, type_ in columns.items():
            table.column.add(name=column, type=_type(type_))
    return catalog


def _types_of(table: pa.Table) -> dict[str, str]:
    names = {arrow: name for name, arrow in ARROW_TYPES.items()}
    return {field.name: names[field.type] for field in table.schema}


def _type(text: str) -> TypeProto:
    """A type as it is written in GoogleSQL, such as ARRAY<STRUCT<name STRING, seconds FLOAT64>>."""
    return _parsed(iter([*re.findall(r"\w+|[<>,]", text), ""]))


def _parsed(tokens: Iterator[str]) -> TypeProto:
    name = next(tokens)
    type_ = TypeProto(type_kind=f"TYPE_{_KINDS.get(name, name)}")
    if name == "ARRAY":
        assert next(tokens) == "<"
        type_.array_type.element_type.CopyFrom(_parsed(tokens))
        assert next(tokens) == ">"
    elif name == "STRUCT":
        end = next(tokens)
        while end != ">":
            assert end in "<,"
            field = type_.struct_type.field.add(field_name=next(tokens))
            field.field_type.CopyFrom(_parsed(tokens))
            end = next(tokens)
    return type_


def _type_name(type_: TypeProto) -> str:
    name = TypeProto.DESCRIPTOR.fields_by_name["type_kind"].enum_type.values_by_number[type_.type_kind].name
    return name.removeprefix("TYPE_").replace("DOUBLE", "FLOAT64")


def _value(value: Any, type_: TypeProto) -> ValueProto:
    kind, out = _type_name(type_), ValueProto()
    if value is None:
        return out
    if kind == "ARRAY":
        out.array_value.SetInParent()
        out.array_value.element.extend(_value(element, type_.array_type.element_type) for element in value)
    elif kind == "STRUCT":
        out.struct_value.SetInParent()
        assert set(value) <= {f.field_name for f in type_.struct_type.field}, value
        out.struct_value.field.extend(_value(value.get(f.field_name), f.field_type) for f in type_.struct_type.field)
    elif kind == "JSON":
        out.json_value = json.dumps(value)
    elif kind == "NUMERIC":
        out.numeric_value = _billionths(value)
    elif kind == "DATE":
        out.date_value = (date.fromisoformat(value) - _EPOCH.date()).days
    elif kind == "TIMESTAMP":
        value = datetime.fromisoformat(value) if isinstance(value, str) else value
        microseconds = (value - _EPOCH) // timedelta(microseconds=1)
        seconds, rest = divmod(microseconds, 1_000_000)
        out.timestamp_value.seconds, out.timestamp_value.nanos = seconds, rest * 1000
    else:
        setattr(out, _FIELDS[kind], value)
    return out


def _billionths(value: Any) -> bytes:
    """A NUMERIC as its little-endian two's complement in as few bytes as hold it."""
    scaled = int(Decimal(str(value)) * 10**9)
    return scaled.to_bytes((scaled + (scaled < 0)).bit_length() // 8 + 1, "little", signed=True)


_FIELDS = {"INT64": "int64_value", "FLOAT64": "double_value", "STRING": "string_value", "BOOL": "bool_value"}


def _arrow_type(type_: TypeProto) -> pa.DataType:
    name = _type_name(type_)
    return pa.list_(_arrow_type(type_.array_type.element_type)) if name == "ARRAY" else ARROW_TYPES[name]


def _python(value: ValueProto, type_: TypeProto) -> Any:
    if value.WhichOneof("value") is None:
        return None
    kind = _type_name(type_)
    if kind == "NUMERIC":
        return Decimal(int.from_bytes(value.numeric_value, "little", signed=True)).scaleb(-9)
    if kind == "ARRAY":
        return [_python(element, type_.array_type.element_type) for element in value.array_value.element]
    if kind != "TIMESTAMP":
        return getattr(value, _FIELDS[kind])
    whole, rest = divmod(value.timestamp_value.nanos, 1000)
    assert not rest, "finer than a microsecond"
    return _EPOCH + timedelta(seconds=value.timestamp_value.seconds, microseconds=whole)
