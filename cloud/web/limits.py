"""The limits of all zones, and a try: what other values would have done to the last two weeks."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from cloud.api.limits import Changes, LimitFacts, WhatIfAnswer, read_limits, try_limit
from cloud.api.zones import read_zones
from cloud.web.alarm_rows import open_alarm_rows
from cloud.web.pages import Page, ThisPage
from cloud.web.states import MACHINERY_ALARMS
from cloud.web.wall import site
from rules import ContextKind

router = APIRouter()
_LONGEST_MIN = 7 * 1440


@dataclass(frozen=True, slots=True)
class LimitRow:
    limit: LimitFacts
    zone_name: str
    text: str
    delays: str

    @property
    def defrost_min(self) -> int | None:
        delay_s = self.limit.context_delays_s.get(ContextKind.DEFROST)
        return None if delay_s is None else delay_s // 60


@dataclass(frozen=True, slots=True)
class Tried:
    row: LimitRow
    answer: WhatIfAnswer
    wanted: Changes


@router.get("/limits", response_class=HTMLResponse, include_in_schema=False)
def show_limits(page: ThisPage) -> HTMLResponse:
    with page.house.store.read() as connection:
        zones = read_zones(connection, page.now_ms, page.house.hub.newest)
        alarms = open_alarm_rows(page, connection, zones)
        limits = read_limits(connection)
    names = {zone.key: page.name(zone.name) for zone in zones}
    rows = [_row(page, limit, names) for limit in limits]
    tried = _tried(page, rows)
    return page.render("limits.html", section="alarms", rows=rows, tried=tried, **site(page, zones, alarms))


def _row(page: Page, limit: LimitFacts, names: dict[str, str]) -> LimitRow:
    f, words = page.formats, page.words
    if limit.is_about_goods:
        setpoint = f.limit(*((None, limit.setpoint) if limit.kind == "above" else (limit.setpoint, None)))
    else:
        machinery = MACHINERY_ALARMS.get((limit.quantity, limit.kind))
        setpoint = words(machinery) if machinery else limit.key
    delays = [words("alarm after {delay}", delay=f.duration(limit.on_delay_s * 1000))]
    defrost_s = limit.context_delays_s.get(ContextKind.DEFROST)
    if defrost_s is not None:
        delays.append(words("{delay} from the start of a defrost", delay=f.duration(defrost_s * 1000)))
    if limit.degree_minutes is not None:
        delays.append(words("at once after {heat} K·min", heat=f.short(limit.degree_minutes)))
    return LimitRow(limit, names.get(limit.zone, limit.zone), setpoint, ", ".join(delays))


def _tried(page: Page, rows: list[LimitRow]) -> Tried | None:
    """What the form asks; a value that makes no sense is left as it is."""
    asked = page.request.query_params
    row = next((row for row in rows if str(row.limit.id) == asked.get("limit")), None)
    if row is None:
        return None
    on_delay, defrost = _minutes(asked.get("on_delay")), _minutes(asked.get("defrost"))
    wanted = Changes(
        setpoint=_decimal(asked.get("setpoint")),
        on_delay_s=None if on_delay is None else on_delay * 60,
        defrost_delay_s=None if defrost is None else defrost * 60,
    )
    return Tried(row, try_limit(row.limit.id, page.house, wanted), wanted)


def _minutes(text: str | None) -> int | None:
    if not text or not text.isascii() or not text.isdigit():
        return None
    return min(int(text[:6]), _LONGEST_MIN)


def _decimal(text: str | None) -> Decimal | None:
    """Also with a decimal comma, as it is written in Viet Nam."""
    try:
        value = Decimal((text or "").strip().replace(",", ".").replace("−", "-")[:12])
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
