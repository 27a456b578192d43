SELECT
  partition_id AS id,
  total_rows AS row_count,
  total_logical_bytes AS byte_count,
  UNIX_MICROS(last_modified_time) AS changed_us
FROM `aoba-logs.run_logs`.INFORMATION_SCHEMA.PARTITIONS
WHERE table_name = @table AND total_rows > 0
ORDER BY partition_id
