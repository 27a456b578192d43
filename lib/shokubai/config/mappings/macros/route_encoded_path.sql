-- The path of a URL as it was logged. Servers write some bytes as \xHH; what was encoded several times, %2540, counts
-- once.
REGEXP_REPLACE(
  COALESCE(
    NULLIF(
      REPLACE(
        REGEXP_REPLACE(
          REGEXP_REPLACE({argument}, r'(?is)^([a-z][a-z0-9+.-]*://[^/?#]*)?([^?#]*).*$', r'\2'),
          r'\\x([0-9A-Fa-f]{2})',
          r'%\1'
        ),
        r'\"',
        '"'
      ),
      ''
    ),
    IF({argument} = '', '', '/')
  ),
  r'%(?:25)+',
  '%'
)
