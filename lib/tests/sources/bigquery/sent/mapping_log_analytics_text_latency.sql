SELECT
  `timestamp` AS `timestamp`,
  (JSON_VALUE(resource.labels, '$.service_name')) AS `service_name`,
  (
    (
      SELECT
        CASE
          WHEN url IS NULL THEN NULL
          WHEN COALESCE(path, '') = '' THEN '{unknown}'
          ELSE (
            SELECT STRING_AGG(CASE
              WHEN segment = '' OR REGEXP_CONTAINS(segment, r'^(?:\{[A-Za-z_]{1,40}\}|:[a-z_]{1,40})$') THEN segment
              WHEN CHAR_LENGTH(segment) > 100 THEN '{long}'
              WHEN
                STRPOS(segment, '@') > 0
                AND NOT REGEXP_CONTAINS(segment, r'(?i)^[^@]+@[1-4]x\.(?:png|jpe?g|gif|webp|svg|avif)$')
                THEN IF(REGEXP_CONTAINS(segment, r'^@[^@]*$'), '{handle}', '{email}')
              ELSE (
                SELECT
                  IF(
                    REGEXP_CONTAINS(known, r'^[-+]?\d[\d ,.:;+()_-]*$')
                    AND NOT REGEXP_CONTAINS(known, r'^\d{1,2}(?:\.\d{1,2}){1,2}$'),
                    '{id}',
                    REGEXP_REPLACE(
                      (
                        SELECT STRING_AGG(CASE
                          WHEN REGEXP_CONTAINS(run, r'^[^A-Za-z0-9+=_-]') THEN run
                          WHEN
                            LENGTH(run) >= 20
                            AND REGEXP_CONTAINS(run, r'[A-Z]')
                            AND REGEXP_CONTAINS(run, r'[a-z0-9]')
                            AND LENGTH(REGEXP_REPLACE(run, r'[^A-Za-z0-9]', ''))
                            < IF(REGEXP_CONTAINS(run, r'\d'), 3.0, 2.5)
                            * ARRAY_LENGTH(REGEXP_EXTRACT_ALL(run, r'[A-Z]?[a-z]+|[A-Z]+|[0-9]+'))
                            THEN '{token}'
                          WHEN LENGTH(run) >= 16 AND REGEXP_CONTAINS(run, r'^[^=]*=+$') THEN '{token}'
                          ELSE (
                            SELECT STRING_AGG(CASE
                              WHEN NOT REGEXP_CONTAINS(piece, r'^[A-Za-z0-9]{5,}$') THEN piece
                              WHEN REGEXP_CONTAINS(piece, r'^v\d{1,4}(?:(?:alpha|beta|rc|p)\d{0,4})?$') THEN piece
                              WHEN REGEXP_CONTAINS(piece, r'^\d+$') THEN '{id}'
                              WHEN REGEXP_CONTAINS(piece, r'\d') AND REGEXP_CONTAINS(piece, r'^[0-9a-fA-F]{8,}$') THEN '{hash}'
                              WHEN LENGTH(piece) >= 16
                                THEN IF(
                                  LENGTH(piece) < 40
                                  AND REGEXP_CONTAINS(piece, r'^(?:[A-Z]{0,5}[a-z]{2,}|[A-Z]+)+[A-Z]{0,5}\d{0,4}$')
                                  AND NOT REGEXP_CONTAINS(piece, r'(?i)[bcdfghjklmnpqrstvwxz]{7,}')
                                  AND ARRAY_LENGTH(REGEXP_EXTRACT_ALL(piece, r'[A-Z]+|[a-z]+')) - 1
                                  <= 0.45 * LENGTH(RTRIM(piece, '0123456789'))
                                  AND ARRAY_LENGTH(REGEXP_EXTRACT_ALL(piece, r'(?i)[aeiouy]'))
                                  >= 0.2 * LENGTH(RTRIM(piece, '0123456789')),
                                  piece,
                                  '{token}'
                                )
                              WHEN REGEXP_CONTAINS(piece, r'^(?:\d+[A-Za-z]+\d+[A-Za-z]|[A-Za-z]+\d+[A-Za-z]+\d)') THEN '{id}'
                              ELSE REGEXP_REPLACE(piece, r'\d{5,}', '{id}')
                            END, '' ORDER BY piece_at)
                            FROM UNNEST(REGEXP_EXTRACT_ALL(run, r'[A-Za-z0-9]+|[^A-Za-z0-9]+')) AS piece WITH OFFSET AS piece_at
                          )
                        END, '' ORDER BY run_at)
                        FROM UNNEST(
                          REGEXP_EXTRACT_ALL(known, r'\{[A-Za-z_]{1,40}\}|[A-Za-z0-9+=_-]+|[^A-Za-z0-9+=_{-]+|\{')
                        ) AS run WITH OFFSET AS run_at
                      ),
                      r'^([A-Za-z_][A-Za-z_-]{0,30})=.*$',
                      r'\1={value}'
                    )
                  )
                FROM UNNEST([REGEXP_REPLACE(
                  REGEXP_REPLACE(REGEXP_REPLACE(REGEXP_REPLACE(
                      REGEXP_REPLACE(
                        REGEXP_REPLACE(
                        REGEXP_REPLACE(REGEXP_REPLACE(REGEXP_REPLACE(
                        REGEXP_REPLACE(
                        REGEXP_REPLACE(
                            REGEXP_REPLACE(
                              segment, r'[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}', '{uuid}'
                            ),
                            r'eyJ[\w-]{8,}(?:\.[\w-]*)*',
                            '{token}'
                          ),
                        r'(^|\D)(?:'
                        || r'(?:19|20)\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])[T _]\d\d[:-]?\d\d(?:[:-]?\d\d)?(?:[.,]\d+)?'
                        || r'(?:Z|[+-]\d\d:?\d\d)?'
                        || r'|(?:19|20)\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])'
                        || r'|(?:0[1-9]|[12]\d|3[01])[-_.](?:0[1-9]|1[0-2])[-_.](?:19|20)\d\d'
                        || r')(\D|$)',
                        r'\1{date}\2'
                      ),
                        r'(^|\D)(?:'
                        || r'(?:19|20)\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])[T _]\d\d[:-]?\d\d(?:[:-]?\d\d)?(?:[.,]\d+)?'
                        || r'(?:Z|[+-]\d\d:?\d\d)?'
                        || r'|(?:19|20)\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])'
                        || r'|(?:0[1-9]|[12]\d|3[01])[-_.](?:0[1-9]|1[0-2])[-_.](?:19|20)\d\d'
                        || r')(\D|$)',
                        r'\1{date}\2'
                      ), r'(^|[^\d-])(?:19|20)\d\d-(?:0[1-9]|1[0-2])([^\d-]|$)', r'\1{date}\2'), r'(^|[^\d-])(?:19|20)\d\d-(?:0[1-9]|1[0-2])([^\d-]|$)', r'\1{date}\2'), r'(^|[^0-9a-fA-F:])\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?([^0-9a-fA-F:]|$)', r'\1{time}\2'
                      ), r'(^|[^0-9a-fA-F:])\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?([^0-9a-fA-F:]|$)', r'\1{time}\2'
                      ),
                      r'\d+(?:\.\d+){3,}',
                      '{ip}'
                    ), r'(^|\D)\d{1,3}(?:[-_]\d{1,3}){3}(\D|$)', r'\1{ip}\2'), r'(^|\D)\d{1,3}(?:[-_]\d{1,3}){3}(\D|$)', r'\1{ip}\2'),
                  r'\[?[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]*(?:%\w+)?\]?',
                  '{ip}'
                )]) AS known
              )
            END, '/' ORDER BY segment_at)
            FROM UNNEST(SPLIT(path, '/')) AS segment WITH OFFSET AS segment_at
            WHERE segment_at < 10
          ) || IF(ARRAY_LENGTH(SPLIT(path, '/')) > 10, '/*', '')
        END
      FROM (
        SELECT url, REGEXP_REPLACE(REGEXP_REPLACE(TRIM(
          REGEXP_REPLACE(
            REGEXP_REPLACE(
              REGEXP_REPLACE(
                REGEXP_REPLACE(
                  TRANSLATE(
                    (
                      SELECT
                        STRING_AGG(
                          IF(
                            REGEXP_CONTAINS(part, r'^%[0-9A-Fa-f]{2}'),
                            SAFE_CONVERT_BYTES_TO_STRING(FROM_HEX(REPLACE(part, '%', ''))),
                            part
                          ),
                          '' ORDER BY part_at
                        )
                      FROM UNNEST(
                        REGEXP_EXTRACT_ALL(REGEXP_REPLACE(
                          COALESCE(
                            NULLIF(
                              REPLACE(
                                REGEXP_REPLACE(
                                  REGEXP_REPLACE(url, r'(?is)^([a-z][a-z0-9+.-]*://[^/?#]*)?([^?#]*).*$', r'\2'),
                                  r'\\x([0-9A-Fa-f]{2})',
                                  r'%\1'
                                ),
                                r'\"',
                                '"'
                              ),
                              ''
                            ),
                            IF(url = '', '', '/')
                          ),
                          r'%(?:25)+',
                          '%'
                        ), r'(?s)(?:%[0-9A-Fa-f]{2})+|[^%]+|%')
                      ) AS part WITH OFFSET AS part_at
                    ),
                    '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～',
                    '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'
                  ),
                  r'\p{C}|[^\P{Z} ]',
                  ''
                ),
                r'[?#].*',
                ''
              ),
              r';[^/]*',
              ''
            ),
            r'/{2,}',
            '/'
          )
        ), r'/(?:19|20)\d\d/(?:0[1-9]|1[0-2])(?:/(?:0[1-9]|[12]\d|3[01]))?(/|$)', r'/{date}\1'), r'/(?:19|20)\d\d/(?:0[1-9]|1[0-2])(?:/(?:0[1-9]|[12]\d|3[01]))?(/|$)', r'/{date}\1') AS path
        FROM UNNEST([http_request.request_url]) AS url
      )
    )
  ) AS `http_route`,
  (
    IF(
      http_request.request_method IN ('CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'),
      http_request.request_method,
      '_OTHER'
    )
  ) AS `http_request_method`,
  (IF(http_request.status BETWEEN 100 AND 999, http_request.status, NULL)) AS `http_response_status_code`,
  IF((SAFE_CAST(REGEXP_EXTRACT(http_request.latency, r'^([0-9.eE+-]+)s$') AS FLOAT64)) >= 0 AND (SAFE_CAST(REGEXP_EXTRACT(http_request.latency, r'^([0-9.eE+-]+)s$') AS FLOAT64)) < CAST('inf' AS FLOAT64), (SAFE_CAST(REGEXP_EXTRACT(http_request.latency, r'^([0-9.eE+-]+)s$') AS FLOAT64)), NULL) AS `duration_seconds`,
  CAST(NULL AS STRING) AS `user_key`,
  (JSON_VALUE(resource.labels, '$.location')) AS `region`,
  (JSON_VALUE(resource.labels, '$.revision_name')) AS `service_version`,
  CAST(NULL AS STRING) AS `trace_id`
FROM `aoba-logs.linked_logs._AllLogs`
WHERE (log_id = 'run.googleapis.com/requests')
