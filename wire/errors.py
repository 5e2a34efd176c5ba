"""What can be wrong with bytes that came over the wire.

WireError
├── Malformed          never becomes right by sending again: quarantine
│   ├── MalformedBatch    the envelope: magic, lengths, header fields
│   ├── MalformedBody     inside a well-formed envelope: compression, JSON, columns, bounds
│   └── MalformedMessage  hello, acknowledgement, point table, live
└── BadSignature       well-formed, but not signed by the key that this gateway is known by
"""


class WireError(Exception):
    """Any refusal of bytes from the wire."""


class Malformed(WireError):
    """Bytes that mean nothing; `reason` is a fixed snake_case name, tested, counted and shown."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class MalformedBatch(Malformed):
    """The envelope cannot be read."""


class MalformedBody(Malformed):
    """The envelope is good, what it carries is not."""


class MalformedMessage(Malformed):
    """A hello, acknowledgement, point table or live message cannot be read."""


class BadSignature(WireError):
    """The signature does not fit the bytes and the known key."""
