-- A word stays; a number, a hash or a random text becomes a placeholder.
CASE
  WHEN NOT REGEXP_CONTAINS({argument}, r'^[A-Za-z0-9]{5,}$') THEN {argument}
  WHEN REGEXP_CONTAINS({argument}, r'^v\d{1,4}(?:(?:alpha|beta|rc|p)\d{0,4})?$') THEN {argument}
  WHEN REGEXP_CONTAINS({argument}, r'^\d+$') THEN '{id}'
  WHEN REGEXP_CONTAINS({argument}, r'\d') AND REGEXP_CONTAINS({argument}, r'^[0-9a-fA-F]{8,}$') THEN '{hash}'
  WHEN LENGTH({argument}) >= 16
    THEN IF(
      LENGTH({argument}) < 40
      AND REGEXP_CONTAINS({argument}, r'^(?:[A-Z]{0,5}[a-z]{2,}|[A-Z]+)+[A-Z]{0,5}\d{0,4}$')
      AND NOT REGEXP_CONTAINS({argument}, r'(?i)[bcdfghjklmnpqrstvwxz]{7,}')
      AND ARRAY_LENGTH(REGEXP_EXTRACT_ALL({argument}, r'[A-Z]+|[a-z]+')) - 1
      <= 0.45 * LENGTH(RTRIM({argument}, '0123456789'))
      AND ARRAY_LENGTH(REGEXP_EXTRACT_ALL({argument}, r'(?i)[aeiouy]'))
      >= 0.2 * LENGTH(RTRIM({argument}, '0123456789')),
      {argument},
      '{token}'
    )
  WHEN REGEXP_CONTAINS({argument}, r'^(?:\d+[A-Za-z]+\d+[A-Za-z]|[A-Za-z]+\d+[A-Za-z]+\d)') THEN '{id}'
  ELSE REGEXP_REPLACE({argument}, r'\d{5,}', '{id}')
END
