-- The decoded path of a URL; full-width ASCII becomes ASCII, control characters go.
TRIM(
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
                REGEXP_EXTRACT_ALL({route_encoded_path:{argument}}, r'(?s)(?:%[0-9A-Fa-f]{2})+|[^%]+|%')
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
)
