"""Ed25519 (RFC 8032): the gateway signs, the ingest checks. The only third-party import of the wire."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from wire.errors import BadSignature

SIGNATURE_BYTES = 64
KEY_BYTES = 32


class SigningKey:
    """A gateway's private key; 32 secret bytes that never leave the gateway."""

    def __init__(self, secret: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self.public: bytes = self._key.public_key().public_bytes_raw()

    @staticmethod
    def new_secret() -> bytes:
        return Ed25519PrivateKey.generate().private_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


class VerifyKey:
    """A gateway's public key, as pinned at enrolment."""

    def __init__(self, public: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(public)

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raises BadSignature."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature as error:
            raise BadSignature("the signature does not fit the bytes and the known key") from error
