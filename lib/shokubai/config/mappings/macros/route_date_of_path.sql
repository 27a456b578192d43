-- /2026/10/31/ and /2026/10/; a second pass finds one that begins where the first ended.
REGEXP_REPLACE({argument}, r'/(?:19|20)\d\d/(?:0[1-9]|1[0-2])(?:/(?:0[1-9]|[12]\d|3[01]))?(/|$)', r'/{date}\1')
