-- Letters, digits and what base64 holds beside them. Text of words falls into fragments of four characters or more,
-- random text into fragments of two.
CASE
  WHEN REGEXP_CONTAINS({argument}, r'^[^A-Za-z0-9+=_-]') THEN {argument}
  WHEN
    LENGTH({argument}) >= 20
    AND REGEXP_CONTAINS({argument}, r'[A-Z]')
    AND REGEXP_CONTAINS({argument}, r'[a-z0-9]')
    AND LENGTH(REGEXP_REPLACE({argument}, r'[^A-Za-z0-9]', ''))
    < IF(REGEXP_CONTAINS({argument}, r'\d'), 3.0, 2.5)
    * ARRAY_LENGTH(REGEXP_EXTRACT_ALL({argument}, r'[A-Z]?[a-z]+|[A-Z]+|[0-9]+'))
    THEN '{token}'
  WHEN LENGTH({argument}) >= 16 AND REGEXP_CONTAINS({argument}, r'^[^=]*=+$') THEN '{token}'
  ELSE (
    SELECT STRING_AGG({route_piece:piece}, '' ORDER BY piece_at)
    FROM UNNEST(REGEXP_EXTRACT_ALL({argument}, r'[A-Za-z0-9]+|[^A-Za-z0-9]+')) AS piece WITH OFFSET AS piece_at
  )
END
