"""The cyclic checks of the serial protocols, as fast as the standard library lets them be.

`binascii.crc_hqx` runs polynomial 0x1021 in C; all but the Modbus CRC can be had from it.
"""

from binascii import crc_hqx


def crc_modbus(message: bytes | bytearray) -> int:
    """CRC-16/MODBUS (reflected 0x8005, start 0xFFFF); on the wire low byte first."""
    crc = 0xFFFF
    for byte in message:
        crc = (crc >> 8) ^ _MODBUS[(crc ^ byte) & 0xFF]
    return crc


def crc_genibus(message: bytes | bytearray) -> int:
    """CRC-16/GENIBUS: what a Gen2 tag itself sends over PC + EPC."""
    return crc_hqx(message, 0xFFFF) ^ 0xFFFF


def crc_mcrf4xx(message: bytes | bytearray) -> int:
    """Reflected 0x1021, start 0xFFFF, no final inversion (UHFReader18/288); on the wire low byte first."""
    mirrored = crc_hqx(message.translate(_MIRROR), 0xFFFF)
    return _MIRROR[mirrored >> 8] | _MIRROR[mirrored & 0xFF] << 8


def crc_thingmagic(message: bytes | bytearray) -> int:
    """Polynomial 0x1021, start 0xFFFF, the message shifted in at the low end and no zero bits after it.

    0x1D0F is the start value carried over 16 zero bits, which makes it the common form of all but the last two bytes.
    """
    return crc_hqx(message[:-2], 0x1D0F) ^ int.from_bytes(message[-2:])


def xor_of(message: bytes | bytearray) -> int:
    check = 0
    for byte in message:
        check ^= byte
    return check


def _modbus_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


_MODBUS = _modbus_table()
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
