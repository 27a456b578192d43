-- The route template of a URL or a path, worked out as shokubai.ingest.routes does: query, fragment and matrix
-- parameters go, percent-encoding is decoded, and what looks like somebody's data gives way to a placeholder.
(
  SELECT
    CASE
      WHEN url IS NULL THEN NULL
      WHEN COALESCE(path, '') = '' THEN '{unknown}'
      ELSE (
        SELECT STRING_AGG({route_segment:segment}, '/' ORDER BY segment_at)
        FROM UNNEST(SPLIT(path, '/')) AS segment WITH OFFSET AS segment_at
        WHERE segment_at < 10
      ) || IF(ARRAY_LENGTH(SPLIT(path, '/')) > 10, '/*', '')
    END
  FROM (
    SELECT url, {route_date_of_path:{route_date_of_path:{route_path:url}}} AS path
    FROM UNNEST([{argument}]) AS url
  )
)
