"""What stands under ``parameters/``, as frozen objects; every problem at once, with file and line."""

from shokubai.config.load import check, load

__all__ = ["check", "load"]
