REGEXP_REPLACE({argument}, r'(^|[^\d-])(?:19|20)\d\d-(?:0[1-9]|1[0-2])([^\d-]|$)', r'\1{date}\2')
