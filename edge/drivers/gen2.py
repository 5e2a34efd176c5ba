"""What a Gen2 UHF tag says about itself: protocol control word, EPC, and its own CRC over both."""

from edge.drivers.crc import crc_genibus
from edge.drivers.frames import ErrorFrame, Frame, TagFrame, WarningFrame
from edge.drivers.params import Params


def tag_crc_option(params: Params) -> str:
    """`warn` by default: some modules do not pass the tag's CRC on."""
    return params.choice("tag_crc", ("warn", "on", "off"), "warn")


def epc_size(pc: int) -> int:
    """Bytes of EPC: the upper five bits of the PC count 16-bit words."""
    return 2 * (pc >> 11)


def epc_text(epc: bytes) -> str | None:
    """None for a blank tag."""
    return epc.hex().upper() or None


def checked(tag: TagFrame, pc_epc: bytes, crc: bytes, tag_crc: str) -> list[Frame]:
    """The tag if its CRC proves it; otherwise what `tag_crc` says. It removes ghosts that the reader's sum lets by."""
    if tag_crc == "off" or crc_genibus(pc_epc) == int.from_bytes(crc):
        return [tag]
    if tag_crc == "on":
        return [ErrorFrame("checksum", f"tag CRC of {tag.epc} is wrong")]
    return [tag, WarningFrame("tag_crc", f"tag CRC of {tag.epc} is wrong: a ghost, or a module that drops it")]
