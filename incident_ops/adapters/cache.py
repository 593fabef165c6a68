"""A file kept between runs that only saves time, and that nobody else can change unnoticed (docs/decisions/0003).

It lies in the repository's `.git/incident-ops/`, which caches of build systems copy around; the key it is signed with
lies in the user's own state folder and is never copied. Without the right signature, what is found counts as nothing.
"""

from __future__ import annotations

import contextlib
import hmac
import os
from hashlib import blake2b
from pathlib import Path

from incident_ops.adapters.files import write_bytes
from incident_ops.errors import WriteFailed

_SIZE = 32


def state_folder() -> Path | None:
    """The user's own folder for state that belongs to no repository; None for a user without a home."""
    named = os.environ.get("XDG_STATE_HOME", "")
    if Path(named).is_absolute():
        return Path(named) / "incident-ops"
    try:
        return Path.home() / ".local" / "state" / "incident-ops"
    except RuntimeError:
        return None


class Cache:
    """One kept file, signed with the user's key. No failure here is an error."""

    def __init__(self, path: Path, key_path: Path | None = None) -> None:
        self.path = path
        folder = state_folder()
        self.key_path = key_path or (folder / "cache.key" if folder else None)

    def load(self) -> bytes | None:
        """The content with a right signature, or None."""
        key = self._key()
        if key is None:
            return None
        try:
            with self.path.open("rb") as file:
                signature, content = file.read(_SIZE), file.read()
        except OSError:
            return None
        return content if hmac.compare_digest(_signature(key, content), signature) else None

    def save(self, content: bytes) -> None:
        """Keeps the content, whole or not at all."""
        key = self._key() or self._new_key()
        if key is not None:
            with contextlib.suppress(WriteFailed):
                write_bytes(self.path, content, head=_signature(key, content))

    def _key(self) -> bytes | None:
        if self.key_path is None:
            return None
        try:
            key = self.key_path.read_bytes()
        except OSError:
            return None
        return key if len(key) == _SIZE else None

    def _new_key(self) -> bytes | None:
        import secrets

        if self.key_path is None:
            return None
        with contextlib.suppress(WriteFailed, OSError):
            self.key_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_bytes(self.key_path, secrets.token_bytes(_SIZE), mode=0o600)
        return self._key()


def _signature(key: bytes, content: bytes) -> bytes:
    return blake2b(content, key=key, digest_size=_SIZE).digest()
