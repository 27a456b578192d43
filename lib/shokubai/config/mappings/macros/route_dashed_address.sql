REGEXP_REPLACE({argument}, r'(^|\D)\d{1,3}(?:[-_]\d{1,3}){3}(\D|$)', r'\1{ip}\2')
