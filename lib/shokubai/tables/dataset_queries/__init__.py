"""The statements on the small tables in BigQuery, in GoogleSQL. They are not for DuckDB."""
