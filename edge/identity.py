"""The gateway's key pair: made on the device at first start, mode 0600; the private half never leaves it."""

from __future__ import annotations

import os
from pathlib import Path

from wire.signature import KEY_BYTES, SigningKey

_FILE = "identity.key"


class IdentityUnreadable(Exception):
    """There is a key file, but it is not a key. Trying again does not help; a new key needs a new enrolment."""


def load_or_make_key(data_dir: Path) -> SigningKey:
    """Raises IdentityUnreadable, OSError. A damaged key is never replaced silently: the cloud knows us by it."""
    path = data_dir / _FILE
    try:
        secret = path.read_bytes()
    except FileNotFoundError:
        secret = SigningKey.new_secret()
        _write_durably(path, secret)
    if len(secret) != KEY_BYTES:
        raise IdentityUnreadable(f"{path} holds {len(secret)} bytes, a key has {KEY_BYTES}")
    return SigningKey(secret)


def public_key_of(data_dir: Path) -> bytes | None:
    """The half that the cloud may know; None before the first start."""
    try:
        return SigningKey((data_dir / _FILE).read_bytes()).public
    except (OSError, ValueError):
        return None


def _write_durably(path: Path, secret: bytes) -> None:
    """Complete or not there at all, also after a power cut."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
