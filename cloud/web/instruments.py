"""Devices: is every number we show still being measured, and is the cloud in step with its gateways?"""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from cloud.api.instruments import Device, Gateway, PointSeen, read_gateways
from cloud.api.zones import read_zones
from cloud.web import states
from cloud.web.alarm_rows import open_alarm_rows
from cloud.web.pages import Page, ThisPage
from cloud.web.states import HEALTH, Look
from cloud.web.wall import site

router = APIRouter()
SILENT_AFTER_MS = 120_000
"""A gateway that sends nothing for so long, twenty flushes, is not reachable."""
DEVICE_SILENT_AFTER_MS = 300_000
_NO_VALUE = ("tag", "health")


@dataclass(frozen=True, slots=True)
class DeviceView:
    device: Device
    zone: str
    look: Look
    reason: str
    values: list[tuple[str, str]]
    flags: list[str]


@dataclass(frozen=True, slots=True)
class GatewayView:
    gateway: Gateway
    look: Look
    is_reachable: bool
    health: list[tuple[str, str]]
    devices: list[DeviceView]


@router.get("/instruments", response_class=HTMLResponse, include_in_schema=False)
def show_instruments(page: ThisPage) -> HTMLResponse:
    with page.house.store.read() as connection:
        zones = read_zones(connection, page.now_ms, page.house.hub.newest)
        alarms = open_alarm_rows(page, connection, zones)
        gateways = [_gateway(page, gateway) for gateway in read_gateways(connection, page.now_ms)]
    return page.render(
        "instruments.html",
        section="instruments",
        gateways=gateways,
        reachable=sum(1 for view in gateways if view.is_reachable),
        silent=sum(1 for view in gateways for device in view.devices if device.look.tone == "unknown"),
        **site(page, zones, alarms),
    )


def _gateway(page: Page, gateway: Gateway) -> GatewayView:
    is_reachable = page.now_ms - gateway.last_seen <= SILENT_AFTER_MS
    return GatewayView(
        gateway,
        states.GATEWAYS["reachable" if is_reachable else "silent"],
        is_reachable,
        [
            (health_word(page, point.point), value_text(page, point))
            for point in gateway.health
            if point.point not in states.HEALTH_ELSEWHERE
        ],
        [_device(page, device) for device in gateway.devices],
    )


def _device(page: Page, device: Device) -> DeviceView:
    look, reason = _look(page, device)
    return DeviceView(
        device,
        page.name(device.zone) if device.zone else "",
        look,
        reason,
        values_of(page, device),
        flags_of(page, device),
    )


def values_of(page: Page, device: Device) -> list[tuple[str, str]]:
    """Quantities with a value of their own; a register of flags is told by its flags, tags by their sightings."""
    registers = {point.point.partition(".")[0] for point in device.points if "." in point.point}
    return [
        (states.point_text(point.point, page.words), value_text(page, point))
        for point in device.points
        if "." not in point.point and point.point not in registers and point.quantity not in _NO_VALUE
    ]


def flags_of(page: Page, device: Device) -> list[str]:
    """The flags of a status register that are set, such as `status.door_open`; and the tag that a reader saw last."""
    tags = [_tag_text(page, point) for point in device.points if point.quantity == "tag"]
    return tags + [
        states.point_text(point.point.partition(".")[2], page.words)
        for point in device.points
        if "." in point.point and point.latest is not None and point.latest.value not in (None, "0")
    ]


def _tag_text(page: Page, point: PointSeen) -> str:
    """The end of an EPC is what differs between the crates of one house."""
    words = states.point_text("tag", page.words)
    return words if point.last_tag is None else f"{words}: …{point.last_tag[-8:]}"


def _look(page: Page, device: Device) -> tuple[Look, str]:
    """The worst of the device's points; a device that has stopped speaking is unknown, whatever it last said."""
    if device.last_seen is None:
        return states.QUALITIES["none"], ""
    worst = max(
        (point.latest for point in device.points if point.latest is not None),
        key=lambda latest: ("good", "uncertain", "bad").index(latest.quality),
        default=None,
    )
    if worst is None:
        return states.QUALITIES["good"], ""
    if worst.quality == "good" and page.now_ms - device.last_seen > DEVICE_SILENT_AFTER_MS:
        return states.QUALITIES["silent"], ""
    return states.QUALITIES[worst.quality], states.reason_text(worst.reason, page.words)


def value_text(page: Page, point: PointSeen) -> str:
    if point.latest is None or point.latest.value is None:
        return "?"
    return page.formats.quantity(point.latest.value, point.latest.unit)


def health_word(page: Page, point: str) -> str:
    """A health point nobody has words for yet is shown by its own name."""
    return page.words(HEALTH[point]) if point in HEALTH else point.replace("_", " ")
