-- A duration as JSON writes it, "0.123s".
SAFE_CAST(REGEXP_EXTRACT({argument}, r'^([0-9.eE+-]+)s$') AS FLOAT64)
