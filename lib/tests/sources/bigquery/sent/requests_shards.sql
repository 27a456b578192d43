SELECT
  SUBSTR(table_id, LENGTH(@prefix) + 1) AS id,
  row_count,
  size_bytes AS byte_count,
  last_modified_time * 1000 AS changed_us
FROM `aoba-logs.run_logs`.__TABLES__
WHERE STARTS_WITH(table_id, @prefix) AND row_count > 0
ORDER BY table_id
