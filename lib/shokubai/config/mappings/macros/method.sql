-- OpenTelemetry's known methods, in its spelling; any other is _OTHER.
IF(
  {argument} IN ('CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'),
  {argument},
  '_OTHER'
)
