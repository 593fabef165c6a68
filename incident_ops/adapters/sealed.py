"""Keeping bytes between runs so that nobody else can change them unnoticed.

What is kept lies in the repository's `.git/incident-ops/`, which caches of build systems copy around; the key of the
seal lies in the user's own state folder and is never copied. Without the right seal, what is found counts as nothing.
"""

from __future__ import annotations

import contextlib
import hmac
import os
from hashlib import blake2b
from pathlib import Path

from incident_ops.adapters.files import write_bytes
from incident_ops.errors import WriteFailed

_SEAL = 32


def state_folder() -> Path | None:
    """The user's own folder for state that belongs to no repository; None for a user without a home."""
    named = os.environ.get("XDG_STATE_HOME", "")
    if Path(named).is_absolute():
        return Path(named) / "incident-ops"
    try:
        return Path.home() / ".local" / "state" / "incident-ops"
    except RuntimeError:
        return None


class Sealed:
    """One kept file, sealed with the user's key. It only ever saves time: no failure here is an error."""

    def __init__(self, path: Path, key_path: Path | None = None) -> None:
        self.path = path
        folder = state_folder()
        self.key_path = key_path or (folder / "cache.key" if folder else None)

    def load(self) -> bytes | None:
        """The content under a right seal, or None."""
        key = self._key()
        if key is None:
            return None
        try:
            with self.path.open("rb") as file:
                seal, content = file.read(_SEAL), file.read()
        except OSError:
            return None
        return content if hmac.compare_digest(_seal(key, content), seal) else None

    def save(self, content: bytes) -> None:
        """Keeps the content, whole or not at all."""
        key = self._key() or self._new_key()
        if key is not None:
            with contextlib.suppress(WriteFailed):
                write_bytes(self.path, content, head=_seal(key, content))

    def _key(self) -> bytes | None:
        if self.key_path is None:
            return None
        try:
            key = self.key_path.read_bytes()
        except OSError:
            return None
        return key if len(key) == _SEAL else None

    def _new_key(self) -> bytes | None:
        import secrets

        if self.key_path is None:
            return None
        with contextlib.suppress(WriteFailed, OSError):
            self.key_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_bytes(self.key_path, secrets.token_bytes(_SEAL), mode=0o600)
        return self._key()


def _seal(key: bytes, content: bytes) -> bytes:
    return blake2b(content, key=key, digest_size=_SEAL).digest()
