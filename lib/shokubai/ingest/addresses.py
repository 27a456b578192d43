"""Client addresses become keyed hashes: the same client can be counted, nobody can be looked up."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from shokubai.core.errors import UsageError

_MIN_KEY_BYTES = 16
_DIGEST_BYTES = 16


@dataclass(frozen=True)
class HashKey:
    """The secret with which addresses are hashed; it lives in ``file``, never in the data."""

    secret: bytes
    file: Path
    is_new: bool

    @classmethod
    def load(cls, file: Path, *, may_create: bool) -> HashKey:
        """The key in ``file``; a new one, not yet on disk, where there is none and ``may_create``.

        Raises UsageError when the file is missing, unreadable or too short to keep a secret.
        """
        try:
            secret = file.read_bytes().strip()
        except FileNotFoundError:
            if not may_create:
                raise UsageError(
                    f"{file}: there is no key file; make one with `head -c 32 /dev/urandom | base64 > {file}`"
                ) from None
            return cls(secrets.token_hex(32).encode(), file, is_new=True)
        except OSError as error:
            raise UsageError(f"{file}: the key cannot be read: {error.strerror}") from error
        if len(secret) < _MIN_KEY_BYTES:
            raise UsageError(f"{file}: the key has {len(secret)} bytes; at least {_MIN_KEY_BYTES} are needed")
        return cls(secret, file, is_new=False)

    def save(self) -> None:
        """Write a new key, readable by its owner only. An existing key is never overwritten."""
        if not self.is_new:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise UsageError(f"{self.file}: another import has just made this key; run this import again") from None
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(self.secret + b"\n")

    @cached_property
    def _key(self) -> bytes:
        return hashlib.blake2b(self.secret).digest()  # any length of secret, the length BLAKE2b takes

    def hash(self, address: str | None) -> str | None:
        """The keyed BLAKE2b hash of an address, 32 hexadecimal digits; None for none.

        Spellings of one IPv6 address, and an IPv4 address mapped into IPv6, give one hash.
        """
        if address is None or address in ("", "-"):
            return None
        return hashlib.blake2b(
            _normal(address).encode("utf-8", "surrogatepass"),
            key=self._key,
            digest_size=_DIGEST_BYTES,
        ).hexdigest()


def _normal(address: str) -> str:
    if ":" in address:
        try:
            parsed = ipaddress.ip_address(address.strip("[]"))
        except ValueError:
            return address.lower()
        mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
        return str(mapped or parsed)
    return address.lower()


_CLIENT_AND_USER = re.compile(r"^(\S+) (\S+) (.*?)(?= \[)")
_MASKS = (
    (re.compile(r"\?[^\s\"]*"), "?{query}"),
    (re.compile(r"[^\s\"<>]+@[^\s\"<>]+"), "{email}"),
    (re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w])"), "{ip}"),
    (re.compile(r"(?<![\w:/])[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]+"), "{ip}"),
)


def masked(line: str) -> str:
    """A log line that could not be read, for people to look at: without addresses, user names and queries."""
    line = _CLIENT_AND_USER.sub(lambda m: " ".join("-" if part == "-" else "{…}" for part in m.groups()), line)
    for pattern, placeholder in _MASKS:
        line = pattern.sub(placeholder, line)
    return line
