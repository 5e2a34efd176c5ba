"""What can be wrong with sensor data: units, ranges, and the same said twice (EPCIS 2.0, 7.3.7)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import UnsetType

from cloud.trace.epcis import vocabulary as words
from cloud.trace.epcis.errors import Fault
from cloud.trace.epcis.events import SensorElement, SensorMetadata, SensorReport
from cloud.trace.epcis.units import SPELLINGS, units_of

_CODE = re.compile(r"[A-Z0-9]{2,3}")
_ONCE = {
    "time": "time",
    "deviceID": "device_id",
    "deviceMetadata": "device_metadata",
    "rawData": "raw_data",
    "dataProcessingMethod": "data_processing_method",
    "bizRules": "biz_rules",
}
_TIMES = {"time": "time", "startTime": "start_time", "endTime": "end_time"}
_MEASURED = ("value", "min_value", "max_value", "mean_value", "perc_value")
Faults = Iterator[Fault]


def sensor_faults(elements: Sequence[SensorElement], path: str) -> Faults:
    for number, element in enumerate(elements):
        where = f"{path}[{number}]"
        if not element.sensor_report:
            yield Fault(f"{where}.sensorReport", "a sensor element has at least one report")
        if not isinstance(element.sensor_metadata, UnsetType):
            yield from _metadata(element.sensor_metadata, f"{where}.sensorMetadata")
        for place, report in enumerate(element.sensor_report):
            here = f"{where}.sensorReport[{place}]"
            yield from _report(report, here)
            yield from _twice(element.sensor_metadata, report, here)


def _metadata(metadata: SensorMetadata, path: str) -> Faults:
    times = {}
    for name, field in _TIMES.items():
        text = getattr(metadata, field)
        if isinstance(text, str):
            times[name] = _moment(text)
            if times[name] is None:
                yield Fault(f"{path}.{name}", f"{text!r} is no time with its zone, such as 2026-11-21T07:32:05.250Z")
    begin, end = times.get("startTime"), times.get("endTime")
    if begin and end and begin > end:
        yield Fault(f"{path}.endTime", "the end lies before the start")


def _report(report: SensorReport, path: str) -> Faults:
    if report.type not in words.MEASUREMENTS and ":" not in report.type:
        yield Fault(f"{path}.type", f"{report.type!r} is no measurement type of the GS1 web vocabulary")
    if (
        isinstance(report.exception, str)
        and report.exception not in words.SENSOR_ALERTS
        and ":" not in report.exception
    ):
        yield Fault(f"{path}.exception", f"{report.exception!r} is neither ALARM_CONDITION nor ERROR_CONDITION")
    if isinstance(report.component, str) and report.component not in words.COMPONENTS and ":" not in report.component:
        yield Fault(f"{path}.component", f"{report.component!r} is no component such as x or latitude")
    if isinstance(report.time, str) and _moment(report.time) is None:
        yield Fault(f"{path}.time", f"{report.time!r} is no time with its zone, such as 2026-11-21T07:32:05.250Z")
    yield from _unit(report, path)
    yield from _range(report, path)


def _unit(report: SensorReport, path: str) -> Faults:
    known = units_of(report.type)
    if isinstance(report.uom, UnsetType):
        if known is not None and any(not isinstance(getattr(report, name), UnsetType) for name in _MEASURED):
            yield Fault(f"{path}.uom", f"a {report.type} without its unit; one of {', '.join(known)}")
        return
    meant = SPELLINGS.get(report.uom.strip().lower())
    if not _CODE.fullmatch(report.uom) or (known is not None and report.uom not in known and meant):
        hint = f"; for {report.uom} write {meant}" if meant else ""
        yield Fault(f"{path}.uom", f"{report.uom!r} is no UN/CEFACT code{hint}")
    elif known is not None and report.uom not in known:
        yield Fault(f"{path}.uom", f"{report.uom} does not measure {report.type}; one of {', '.join(known)}")


def _range(report: SensorReport, path: str) -> Faults:
    low, high = report.min_value, report.max_value
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        yield Fault(f"{path}.minValue", f"the least value {low} is above the greatest, {high}")
    elif isinstance(report.mean_value, int | float):
        mean = report.mean_value
        if (isinstance(low, int | float) and mean < low) or (isinstance(high, int | float) and mean > high):
            yield Fault(f"{path}.meanValue", f"the mean {mean} lies outside of the least and greatest value")
    if isinstance(report.s_dev, int | float) and report.s_dev < 0:
        yield Fault(f"{path}.sDev", f"a standard deviation is not negative: {report.s_dev}")
    if isinstance(report.perc_rank, int | float) and not 0 <= report.perc_rank <= 100:
        yield Fault(f"{path}.percRank", f"a rank lies between 0 and 100: {report.perc_rank}")
    if isinstance(report.perc_rank, UnsetType) != isinstance(report.perc_value, UnsetType):
        yield Fault(f"{path}.percRank", "percRank and percValue stand together or not at all")


def _twice(metadata: SensorMetadata | UnsetType, report: SensorReport, path: str) -> Faults:
    if isinstance(metadata, UnsetType):
        return
    for name, field in _ONCE.items():
        if isinstance(getattr(metadata, field), str) and isinstance(getattr(report, field), str):
            yield Fault(f"{path}.{name}", f"{name} stands in sensorMetadata and here; one of the two says it")


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
