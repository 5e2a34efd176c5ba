"""Frames out of a stream of bytes, for protocols whose frames have a head and a length or an end mark.

    held:  noise noise HEAD ....... | HEAD ...
           `find` skips to the head; `cut` says: unfinished, a frame of n bytes, or not a frame after all

After a spoilt frame the search goes on one byte behind its head, so a good frame inside or behind it is found; what the
inside of a spoilt frame seems to say is not reported a second time.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from edge.drivers.frames import ErrorFrame, Frame

_SLICE = 4096  # bounds what is held, however large a chunk comes


class Cut(NamedTuple):
    """A verdict on the bytes from a head on."""

    size: int  # bytes it is about
    frames: Sequence[Frame]
    is_frame: bool = True  # False: not a frame; `frames` says why, or is empty for mere noise


UNFINISHED = None
NOISE = Cut(1, (), is_frame=False)

_MASK = bytes(byte & 0x7F for byte in range(256))

Find = Callable[[bytearray, int], int]  # where the next frame may begin, from this place on; the end if nowhere
CutOne = Callable[[bytearray, int], Cut | None]


def spoilt(size: int, kind: str, detail: str = "") -> Cut:
    return Cut(size, (ErrorFrame(kind, detail),), is_frame=False)


def find_pattern(pattern: re.Pattern[bytes]) -> Find:
    r"""The next match; the pattern must accept a head that the end of the bytes cuts off (`\Z`)."""

    def find(held: bytearray, at: int) -> int:
        match = pattern.search(held, at)
        return match.start() if match else len(held)

    return find


def find_byte(*heads: int) -> Find:
    """The next of some head bytes."""
    return find_pattern(re.compile(b"[" + b"".join(re.escape(bytes((head,))) for head in heads) + b"]"))


class StreamDecoder:
    """Decoder made of `find` and `cut`.

    Both must judge by the bytes up to the first that matters, never by what lies behind, so that the frames do not
    depend on how the bytes arrive. `is_marked`: frames begin with a mark that noise rarely holds; without one, only
    what is spoilt where a frame was due is worth a word.
    """

    def __init__(
        self,
        find: Find,
        cut: CutOne,
        *,
        poll_request: bytes = b"",
        on_request: Callable[[bytes], None] | None = None,
        mask_bit7: bool = False,
        is_marked: bool = True,
    ) -> None:
        self.poll_request = poll_request
        self._find = find
        self._cut = cut
        self._mask_bit7 = mask_bit7
        self._is_marked = is_marked
        self._on_request = on_request
        self._held = bytearray()
        self._muted = 0  # bytes from the start of `_held` on whose faults are already reported
        self._due = 0  # where in `_held` a frame should begin; -1 when out of step

    @property
    def pending(self) -> bool:
        return bool(self._held)

    def expect(self, request: bytes) -> None:
        if self._on_request is not None:
            self._on_request(request)

    def feed(self, chunk: bytes) -> list[Frame]:
        if self._mask_bit7:
            chunk = chunk.translate(_MASK)
        frames: list[Frame] = []
        for start in range(0, len(chunk), _SLICE):
            self._held += chunk[start : start + _SLICE]
            self._walk(frames)
        return frames

    def idle(self) -> list[Frame]:
        frames: list[Frame] = []
        while self._held:
            if not self._muted:
                frames.append(ErrorFrame("truncated", f"{len(self._held)} bytes, then silence"))
                self._muted = len(self._held)
            self._drop(1)
            self._walk(frames)
        return frames

    def _walk(self, frames: list[Frame]) -> None:
        held, at = self._held, 0
        while (at := self._find(held, at)) < len(held):
            cut = self._cut(held, at)
            if cut is UNFINISHED:
                break
            if cut.is_frame:
                frames += cut.frames
                at += cut.size
                self._due = at
                continue
            if cut.frames and at >= self._muted and (self._is_marked or at == self._due):
                frames += cut.frames
                self._muted = self._due = at + cut.size
            at += 1
        self._drop(at)

    def _drop(self, count: int) -> None:
        del self._held[:count]
        self._muted = max(0, self._muted - count)
        self._due = max(-1, self._due - count)
