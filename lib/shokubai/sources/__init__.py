"""Warehouses: a named query and typed parameters in; rows, bytes, milliseconds and the statement's hash out.

The only place where rows enter. A warehouse knows nothing of SLIs; another engine is one more file beside
``duckdb_warehouse``, with what ``warehouse.Warehouse`` asks for.
"""

from shokubai.sources.duckdb_warehouse import DuckDbWarehouse
from shokubai.sources.file_table import FileTable, find_files
from shokubai.sources.query import Query, load_query
from shokubai.sources.results import to_frame
from shokubai.sources.warehouse import Files, Part, ServiceRows, Statement, Warehouse

__all__ = [
    "DuckDbWarehouse",
    "FileTable",
    "Files",
    "Part",
    "Query",
    "ServiceRows",
    "Statement",
    "Warehouse",
    "find_files",
    "load_query",
    "to_frame",
]
