REGEXP_REPLACE(
  {argument}, r'(^|[^0-9a-fA-F:])\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?([^0-9a-fA-F:]|$)', r'\1{time}\2'
)
