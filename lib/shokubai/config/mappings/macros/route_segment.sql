-- One segment of a path.
CASE
  WHEN {argument} = '' OR REGEXP_CONTAINS({argument}, r'^(?:\{[A-Za-z_]{1,40}\}|:[a-z_]{1,40})$') THEN {argument}
  WHEN CHAR_LENGTH({argument}) > 100 THEN '{long}'
  WHEN
    STRPOS({argument}, '@') > 0
    AND NOT REGEXP_CONTAINS({argument}, r'(?i)^[^@]+@[1-4]x\.(?:png|jpe?g|gif|webp|svg|avif)$')
    THEN IF(REGEXP_CONTAINS({argument}, r'^@[^@]*$'), '{handle}', '{email}')
  ELSE (
    SELECT
      IF(
        REGEXP_CONTAINS(known, r'^[-+]?\d[\d ,.:;+()_-]*$')
        AND NOT REGEXP_CONTAINS(known, r'^\d{1,2}(?:\.\d{1,2}){1,2}$'),
        '{id}',
        REGEXP_REPLACE(
          (
            SELECT STRING_AGG({route_run:run}, '' ORDER BY run_at)
            FROM UNNEST(
              REGEXP_EXTRACT_ALL(known, r'\{[A-Za-z_]{1,40}\}|[A-Za-z0-9+=_-]+|[^A-Za-z0-9+=_{-]+|\{')
            ) AS run WITH OFFSET AS run_at
          ),
          r'^([A-Za-z_][A-Za-z_-]{0,30})=.*$',
          r'\1={value}'
        )
      )
    FROM UNNEST([{route_known:{argument}}]) AS known
  )
END
