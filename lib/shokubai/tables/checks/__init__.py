"""Whether a warehouse can be read as its file says, and what to do where it cannot."""

from shokubai.tables.checks.bigquery import check_dataset_warehouse
from shokubai.tables.checks.files import check_files
from shokubai.tables.checks.finding import Finding, Level
from shokubai.tables.checks.table import check_table

__all__ = ["Finding", "Level", "check_dataset_warehouse", "check_files", "check_table"]
