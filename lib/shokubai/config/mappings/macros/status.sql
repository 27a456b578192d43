-- A status of three digits; 0 says that no response was sent.
IF({argument} BETWEEN 100 AND 999, {argument}, NULL)
