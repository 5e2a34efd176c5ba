"""Lots from a table: all rows or none, each fault with its row and column; a dry run says what would happen.

lot,gtin,name_vi,name_en,quantity_kg,created_at
BM261120-03,09521234543213,Đùi góc tư,Leg quarters,1248.6,2026-11-20T02:10:00Z
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from cloud.lots.errors import BadGtinError, BadQuantityError, ConflictingFactError, LotError
from cloud.lots.facts import LotFact, record_lot

COLUMNS = ("lot", "gtin", "name_vi", "name_en", "quantity_kg", "created_at")
_MOST_ROWS = 20_000
_LONGEST = {"lot": 40, "name_vi": 200, "name_en": 200}
_COLUMN_OF = {BadGtinError: "gtin", BadQuantityError: "quantity_kg", ConflictingFactError: "lot"}


@dataclass(frozen=True, slots=True)
class RowFault:
    row: int  # 1 is the first below the head
    column: str
    message: str


@dataclass(slots=True)
class Imported:
    """`new` and `known` count rows that can be taken; nothing is taken while there are faults."""

    new: int
    known: int
    faults: list[RowFault]


class _WrongCell(ValueError):
    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def import_lots(connection: Connection, table: str, now_ms: int) -> Imported:
    """Writes as it goes: the caller keeps the transaction only when there are no faults and it is no dry run."""
    done = Imported(0, 0, [])
    reader = csv.DictReader(io.StringIO(table.removeprefix("\ufeff")), strict=True)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        done.faults.append(RowFault(0, missing[0], f"the first line must name the columns {', '.join(COLUMNS)}"))
        return done
    for number, cells in _rows(reader, done):
        try:
            is_new = record_lot(connection, _fact(cells), now_ms)
        except _WrongCell as wrong:
            done.faults.append(RowFault(number, wrong.column, str(wrong)))
        except LotError as refusal:
            done.faults.append(RowFault(number, _COLUMN_OF.get(type(refusal), "lot"), str(refusal)))
        else:
            done.new, done.known = (done.new + 1, done.known) if is_new else (done.new, done.known + 1)
    return done


def _rows(reader: "csv.DictReader[str]", done: Imported) -> Iterator[tuple[int, dict[str, str]]]:
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if number > _MOST_ROWS:
                done.faults.append(RowFault(number, "lot", f"a table has at most {_MOST_ROWS} rows; send it in parts"))
                return
            yield number, {name: (cells.get(name) or "").strip() for name in COLUMNS}
    except csv.Error as error:
        done.faults.append(RowFault(number + 1, "lot", f"this is no table: {error}"))


def _fact(cells: dict[str, str]) -> LotFact:
    if not cells["lot"]:
        raise _WrongCell("lot", "a lot needs its number")
    for name, longest in _LONGEST.items():
        if len(cells[name]) > longest:
            raise _WrongCell(name, f"longer than {longest} characters")
    return LotFact(
        key=cells["lot"],
        gtin=cells["gtin"],
        name_vi=cells["name_vi"],
        name_en=cells["name_en"] or cells["name_vi"],
        quantity_kg=cells["quantity_kg"] or None,
        created_at=_moment(cells["created_at"]),
    )


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _WrongCell("created_at", f"{text!r} is no time such as 2026-11-20T02:10:00Z") from error
    if moment.tzinfo is None:
        raise _WrongCell("created_at", f"{text!r} does not say its zone; UTC is written 2026-11-20T02:10:00Z")
    return round(moment.astimezone(UTC).timestamp() * 1000)
