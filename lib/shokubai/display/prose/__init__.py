"""Sentences about findings, in the reader's language. The words are in ``en.yaml`` and ``ja.yaml``."""

from shokubai.display.prose.findings import (
    Told,
    accepted_notices,
    notices,
    orphaned_replies,
    tally,
    tell,
    told_notices,
    vocabulary,
)

__all__ = [
    "Told",
    "accepted_notices",
    "notices",
    "orphaned_replies",
    "tally",
    "tell",
    "told_notices",
    "vocabulary",
]
