-- Ids of known forms. A UUID comes first: its digits would make it a number. RE2 has no look-around, so the neighbours
-- of dates, times and dashed addresses are matched with them and put back; a second pass finds those that share one.
REGEXP_REPLACE(
  {route_dashed_address:{route_dashed_address:REGEXP_REPLACE(
    {route_time:{route_time:{route_month:{route_month:{route_date:{route_date:REGEXP_REPLACE(
      REGEXP_REPLACE(
        {argument}, r'[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}', '{uuid}'
      ),
      r'eyJ[\w-]{8,}(?:\.[\w-]*)*',
      '{token}'
    )}}}}}},
    r'\d+(?:\.\d+){3,}',
    '{ip}'
  )}},
  r'\[?[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]*(?:%\w+)?\]?',
  '{ip}'
)
