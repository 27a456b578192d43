"""Telling opaque pieces of a path (ids, hashes, tokens) from words."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

_PLACEHOLDER = re.compile(r"(\{[A-Za-z_]{1,40}\})")
_RUN = re.compile(r"[A-Za-z0-9+=_-]{16,}")
_FRAGMENT = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_PIECE = re.compile(r"[A-Za-z0-9]{5,}")

_API_VERSION = re.compile(r"v\d{1,4}(?:(?:alpha|beta|rc|p)\d{0,4})?")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{8,}")
_LONG_NUMBER = re.compile(r"\d{5,}")
# Lower-case, UPPER-case, Capitalised or camelCase words, with a short number at the end.
_WORDS = re.compile(r"(?:[A-Z]{0,5}[a-z]{2,}|[A-Z]+)+[A-Z]{0,5}\d{0,4}")
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{7,}", re.IGNORECASE)
_VOWEL = re.compile(r"[aeiouy]", re.IGNORECASE)

_LONG = 16


def without_opaque_pieces(segment: str) -> str:
    """The segment with its opaque pieces as ``{id}``, ``{hash}`` or ``{token}``; placeholders in it stay."""
    return "".join(
        part if _PLACEHOLDER.fullmatch(part) else _PIECE.sub(_piece, _RUN.sub(_run, part))
        for part in _PLACEHOLDER.split(segment)
    )


def _run(match: re.Match[str]) -> str:
    """Base64 as in URLs holds ``-`` and ``_``, so it is judged before the segment is taken apart at them.

    Text of words falls into fragments of four characters or more, random text into fragments of two.
    """
    text = match[0]
    fragments = _FRAGMENT.findall(text)
    mean = sum(map(len, fragments)) / max(len(fragments), 1)
    is_mixed = any(c.isupper() for c in text) and any(c.islower() or c.isdigit() for c in text)
    if len(text) >= 20 and is_mixed and mean < (3.0 if any(c.isdigit() for c in text) else 2.5):
        return "{token}"
    if text.endswith("=") and "=" not in text.rstrip("="):
        return "{token}"
    return text


@lru_cache(maxsize=100_000)
def _classified(text: str) -> str:
    if _API_VERSION.fullmatch(text):
        return text
    if text.isdigit():
        return "{id}"
    letters_and_digits = any(c.isdigit() for c in text)
    if letters_and_digits and _HEXADECIMAL.fullmatch(text):
        return "{hash}"
    if len(text) >= _LONG:
        return text if _is_words(text) else "{token}"
    if letters_and_digits and sum(a.isdigit() != b.isdigit() for a, b in pairwise(text)) >= 3:
        return "{id}"
    return _LONG_NUMBER.sub("{id}", text)


def _piece(match: re.Match[str]) -> str:
    return _classified(match[0])


def _is_words(text: str) -> bool:
    letters = text.rstrip("0123456789")
    if len(text) >= 40 or not _WORDS.fullmatch(text) or _CONSONANTS.search(letters):
        return False
    changes = sum(a != b for a, b in pairwise(map(_kind, letters)))
    return changes <= 0.45 * len(letters) and len(_VOWEL.findall(letters)) >= 0.2 * len(letters)


def _kind(character: str) -> str:
    if character.isdigit():
        return "digit"
    if character.isalpha():
        return "upper" if character.isupper() else "lower"
    return ""
