-- projects/PROJECT/traces/ID, or the ID alone.
REGEXP_EXTRACT({argument}, r'^(?:projects/[^/]+/traces/)?([0-9a-f]{32})$')
