"""What can go wrong with an EPC, by what the caller can do about it.

EpcError
├── NotGs1Epc          not GS1's: keep the raw hex and register it to an object by hand
│   ├── Unprogrammed       blank, or showing its chip's number: nobody has written it
│   ├── UnknownHeader      a header that the Tag Data Standard has not given out
│   ├── ForeignEpc         the PC word says it follows ISO 15962 (an AFI), not GS1
│   └── UndecodedScheme    a GS1 scheme that this house has no use for (coupons, documents, ...)
└── BadEpc             claims to be GS1's and breaks the standard: read it again, then replace the tag
    ├── BadHex             not hexadecimal digits in pairs
    ├── BadLength          fewer bits than the scheme or the PC word needs
    ├── BadPartition       a partition value of 7
    ├── BadField           a field that its scheme cannot hold or that no GS1 key can have
    └── BadCheckDigit      the key's check digit is wrong
"""

from __future__ import annotations


class EpcError(Exception):
    """Base of all below."""


class NotGs1Epc(EpcError):
    pass


class Unprogrammed(NotGs1Epc):
    def __init__(self, header: int | None) -> None:
        self.header = header
        what = "it shows its chip's number (E2)" if header == 0xE2 else "it is blank"
        super().__init__(f"not programmed: {what}")


class UnknownHeader(NotGs1Epc):
    def __init__(self, header: int) -> None:
        self.header = header
        super().__init__(f"not a GS1 EPC: header {header:02X} is not in the Tag Data Standard")


class ForeignEpc(NotGs1Epc):
    def __init__(self, afi: int) -> None:
        self.afi = afi
        super().__init__(f"not a GS1 EPC: the PC word gives ISO application family {afi:02X}")


class UndecodedScheme(NotGs1Epc):
    def __init__(self, header: int, scheme: str) -> None:
        self.header, self.scheme = header, scheme
        super().__init__(f"header {header:02X} is {scheme}, which is not decoded here")


class BadEpc(EpcError):
    pass


class BadHex(BadEpc):
    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"{text!r} is not hexadecimal digits in pairs")


class BadLength(BadEpc):
    def __init__(self, what: str, bits: int, wanted_bits: int) -> None:
        self.what, self.bits, self.wanted_bits = what, bits, wanted_bits
        super().__init__(f"{what} needs {wanted_bits} bits, there are {bits}")


class BadPartition(BadEpc):
    def __init__(self, scheme: str, partition: int) -> None:
        self.scheme, self.partition = scheme, partition
        super().__init__(f"{scheme}: partition {partition} does not exist (0 to 6)")


class BadField(BadEpc):
    def __init__(self, scheme: str, field: str, value: str, wanted: str) -> None:
        self.scheme, self.field, self.value, self.wanted = scheme, field, value, wanted
        super().__init__(f"{scheme}: {field} {value!r}, wanted: {wanted}")


class BadCheckDigit(BadEpc):
    def __init__(self, key: str, digits: str, expected: str) -> None:
        self.key, self.digits, self.expected = key, digits, expected
        super().__init__(f"{key} {digits}: the check digit is {digits[-1]}, should be {expected}")
