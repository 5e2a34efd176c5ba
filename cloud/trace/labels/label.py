"""What stands on a label, and its three forms: SVG for screens, PDF for office printers, ZPL for label printers."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

import segno

from cloud.trace.keys import key_of
from cloud.trace.labels.gs1_128 import Element, modules

WIDTH_MM, HEIGHT_MM = 100, 60
_UNIT = 10  # drawing units in a millimetre
_DOTS_PER_MM = 8  # a label printer of 203 dpi


@dataclass(frozen=True, slots=True)
class Label:
    """`elements` are AIs and values as in the bar code; `lines` what people read; both in the order of printing."""

    link: str
    name: str
    elements: Sequence[Element]
    lines: Sequence[str]

    @property
    def readable(self) -> str:
        return "".join(f"({ai}){value}" for ai, value in self.elements)


class NoTypesetterError(Exception):
    """The extra `pdf` is not installed."""


def lot_elements(
    gtin: str, number: str, *, produced: str | None = None, expires: str | None = None, net_g: int | None = None
) -> list[Element]:
    """Dates as YYMMDD. Raises BadKeyError when GTIN or lot number cannot stand in a GS1 symbol."""
    key = key_of([("01", gtin), ("10", number)])
    found: list[Element] = [key.element[0]]
    found += [(ai, date) for ai, date in (("11", produced), ("17", expires)) if date]
    if net_g is not None and 0 <= net_g < 10**6:
        found.append(("3103", f"{net_g:06}"))
    return [*found, key.element[1]]  # the lot has no fixed length: last, it needs no separator


def lot_link(base_url: str, elements: Sequence[Element]) -> str:
    """A Digital Link on our own address: key and lot in the path, the rest in the query."""
    held = dict(elements)
    path = f"/01/{held['01']}/10/{quote(held['10'], safe='')}"
    query = "&".join(f"{ai}={value}" for ai, value in elements if ai not in ("01", "10"))
    return base_url + path + (f"?{query}" if query else "")


def as_svg(label: Label) -> str:
    code = segno.make(label.link, error="m", micro=False)
    side = 300
    qr = _squares([[bool(dark) for dark in row] for row in code.matrix], 40, 40, side / len(code.matrix))
    bars = _bars(modules(label.elements), 40, 400, WIDTH_MM * _UNIT - 80, 130)
    size = 44 if len(label.name) <= 24 else 34 if len(label.name) <= 32 else 26
    texts = [_text(375, 78, size, label.name, weight=700)]
    texts += [_text(375, 135 + 47 * place, 30, line) for place, line in enumerate(label.lines[:5])]
    texts.append(_text(WIDTH_MM * _UNIT // 2, 572, 28, label.readable, anchor="middle"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_MM}mm" height="{HEIGHT_MM}mm" '
        f'viewBox="0 0 {WIDTH_MM * _UNIT} {HEIGHT_MM * _UNIT}">'
        f'<title>{escape(label.name)} {escape(label.readable)}</title><rect width="100%" height="100%" fill="#fff"/>'
        f'<path d="{qr}"/><path d="{bars}"/>{"".join(texts)}</svg>\n'
    )


def as_pdf(label: Label) -> bytes:
    """Raises NoTypesetterError."""
    try:
        import typst
    except ImportError as error:
        raise NoTypesetterError("PDF labels need the extra `pdf`: pip install 'coldlink[pdf]'") from error
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "label.svg").write_text(as_svg(label), "utf-8")
        source = Path(folder, "label.typ")
        source.write_text(
            f'#set page(width: {WIDTH_MM}mm, height: {HEIGHT_MM}mm, margin: 0mm)\n#image("label.svg", width: 100%)\n'
        )
        pdf: bytes = typst.compile(source, format="pdf")
    return pdf


def as_zpl(label: Label) -> str:
    """For 203 dpi; the printer draws both codes itself (^BQ, ^BC in GS1 mode D)."""

    def at(x_mm: float, y_mm: float) -> str:
        return f"^FO{round(x_mm * _DOTS_PER_MM)},{round(y_mm * _DOTS_PER_MM)}"

    out = io.StringIO()
    out.write(f"^XA\n^CI28\n^PW{WIDTH_MM * _DOTS_PER_MM}\n^LL{HEIGHT_MM * _DOTS_PER_MM}\n")
    out.write(f"{at(4, 4)}^BQN,2,6^FDMA,{_zpl(label.link)}^FS\n")
    out.write(f"{at(38, 4)}^A0N,40,36^FH^FD{_zpl(label.name)}^FS\n")
    for place, line in enumerate(label.lines[:5]):
        out.write(f"{at(38, 11 + 5 * place)}^A0N,26,24^FH^FD{_zpl(line)}^FS\n")
    out.write(f"{at(6, 42)}^BY2^BCN,80,Y,N,N,D^FH^FD{_zpl(label.readable)}^FS\n^XZ\n")
    return out.getvalue()


def _squares(matrix: Sequence[Sequence[bool]], x: float, y: float, size: float) -> str:
    return "".join(
        f"M{x + column * size:.2f} {y + row * size:.2f}h{size:.2f}v{size:.2f}h-{size:.2f}z"
        for row, line in enumerate(matrix)
        for column, is_dark in enumerate(line)
        if is_dark
    )


def _bars(pattern: str, x: float, y: float, width: float, height: float) -> str:
    """As wide as fits with quiet zones of ten modules on both sides, modules of at most 0.5 mm."""
    module = min(width / (len(pattern) + 20), 0.5 * _UNIT)
    left = x + (width - module * len(pattern)) / 2
    runs = re.finditer("1+", pattern)  # one shape for each bar: seams inside a bar would show in print
    return "".join(
        f"M{left + run.start() * module:.2f} {y}h{len(run[0]) * module:.2f}v{height}h-{len(run[0]) * module:.2f}z"
        for run in runs
    )


def _text(x: float, y: float, size: int, text: str, *, weight: int = 400, anchor: str = "start") -> str:
    return (
        f'<text x="{x}" y="{y}" font-family="Noto Sans, DejaVu Sans, Arial, sans-serif" font-size="{size}" '
        f'font-weight="{weight}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _zpl(text: str) -> str:
    """^ and ~ begin commands, _ begins a byte in hex where ^FH stands."""
    return "".join(f"_{ord(sign):02x}" if sign in "^~_" else sign for sign in text)
