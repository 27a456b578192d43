"""Ready mappings: how the columns of well-known log tables in BigQuery become a contract's.

One file per mapping, ``<name>.yaml``; a new file here is found by itself. A warehouse file names one::

    tables:
      requests: {table: run_logs.run_googleapis_com_requests, mapping: cloud_run_sink}
"""

from shokubai.config.mappings.model import ReadyMapping, Variant
from shokubai.config.mappings.reading import mapping_names, ready_mapping, ready_mappings

__all__ = ["ReadyMapping", "Variant", "mapping_names", "ready_mapping", "ready_mappings"]
