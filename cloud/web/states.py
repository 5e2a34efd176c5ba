"""The one place for state -> silhouette + word; colour follows from `data-state` in components.css."""

from dataclasses import dataclass

from cloud.web.words import Words


def N_(text: str) -> str:  # noqa: N802  gettext's name for "translate later"
    return text


@dataclass(frozen=True, slots=True)
class Look:
    """`tone` is what components.css colours by."""

    icon: str
    word: str
    tone: str

    def say(self, words: Words) -> str:
        return words(self.word)


ZONES = {
    "normal": Look("ok", N_("Normal"), "normal"),
    "pending": Look("pending", N_("Over limit, waiting"), "pending"),
    "breach": Look("breach", N_("Limit exceeded"), "breach"),
    "unknown": Look("unknown", N_("Unknown"), "unknown"),
    "stale": Look("stale", N_("Stale"), "stale"),
}
QUALITIES = {
    "good": Look("ok", N_("Good"), "normal"),
    "uncertain": Look("stale", N_("Uncertain"), "suspect"),
    "bad": Look("unknown", N_("No reading"), "unknown"),
    "none": Look("unknown", N_("Never seen"), "unknown"),
    "silent": Look("unknown", N_("Silent"), "unknown"),
}
GATEWAYS = {
    "reachable": Look("ok", N_("Measuring"), "normal"),
    "silent": Look("unknown", N_("Not reachable"), "unknown"),
}
HEALTH = {
    "unsent_batches": N_("Batches waiting to be sent"),
    "dropped_batches": N_("Batches lost for want of space"),
    "buffer_used": N_("Buffer used"),
    "disk_free": N_("Disk free"),
    "cpu_temperature": N_("Processor temperature"),
    "memory": N_("Memory"),
    "missed_cycles": N_("Missed cycles"),
}
HEALTH_ELSEWHERE = ("clock_good",)
"""Said better by another fact of the gateway."""

POINTS = {
    "air_temperature": N_("air temperature"),
    "core_temperature": N_("core temperature"),
    "evaporator_temperature": N_("evaporator"),
    "room_temperature": N_("room"),
    "temperature": N_("temperature"),
    "humidity": N_("humidity"),
    "weight": N_("weight"),
    "tag": N_("reads tags"),
    "compressor": N_("compressor runs"),
    "defrost": N_("defrosting"),
    "door_open": N_("door open"),
    "alarm": N_("own alarm"),
    "probe_fault": N_("probe fault"),
}
BREACHES = {
    "pending": Look("pending", N_("Over limit, waiting"), "pending"),
    "active": Look("breach", N_("Ongoing"), "breach"),
    "ended": Look("ok", N_("Ended"), "normal"),
}
VERDICTS = {
    "pass": Look("ok", N_("Pass"), "ok"),
    "warn": Look("pending", N_("Pass with a remark"), "warn"),
    "fail": Look("breach", N_("Fail"), "fail"),
    "insufficient_data": Look("unknown", N_("Not enough data"), "insufficient"),
}
STANDINGS = {
    "free": Look("release", N_("Free to leave"), "ok"),
    "held": Look("hold", N_("Held"), "hold"),
    "rejected": Look("breach", N_("Rejected"), "fail"),
    "recalled": Look("breach", N_("Recalled"), "fail"),
    "destroyed": Look("oos", N_("Destroyed"), "fail"),
}
LOT_EVENTS = {
    "receive": N_("Received"),
    "slaughter": N_("Slaughtered"),
    "cut": N_("Cut"),
    "pack": N_("Packed"),
    "split": N_("Split"),
    "merge": N_("Merged"),
    "rework": N_("Reworked"),
    "aggregate": N_("Put into a carrier"),
    "measure": N_("Core measured"),
    "ship": N_("Shipped"),
    "hold": N_("Held"),
    "release": N_("Released"),
    "reject": N_("Rejected"),
    "downgrade": N_("Downgraded"),
    "recall": N_("Recalled"),
    "destroy": N_("Destroyed"),
    "correction": N_("Corrected"),
}
FINDINGS = {
    "within_band": N_("within the band"),
    "within_tolerance": N_("within the tolerance"),
    "shortly_out": N_("out of it for a moment"),
    "tolerance_used_up": N_("longer in the tolerance than allowed"),
    "out_of_band": N_("out of the band"),
    "coverage_too_low": N_("too little is known"),
    "deadline_met": N_("reached in time"),
    "deadline_missed": N_("not reached in time"),
    "deadline_running": N_("there is still time"),
    "not_measured": N_("the core was not measured"),
    "core_in_band": N_("core within the band"),
    "core_out_of_band": N_("core out of the band"),
}
BALANCES = {
    "balanced": N_("in balance"),
    "too_little": N_("less came out than expected"),
    "too_much": N_("more came out than expected"),
    "unknown": N_("not all was weighed"),
}
ALARMS = {
    "unacknowledged": Look("breach", N_("Unacknowledged"), "unacknowledged"),
    "acknowledged": Look("ack", N_("Acknowledged"), "acknowledged"),
    "returned_unacknowledged": Look("returned", N_("Returned, unacknowledged"), "returned_unacknowledged"),
    "normal": Look("ok", N_("Closed"), "side"),
}
ALARM_KINDS = {
    "breach": N_("Cold chain broken"),
    "no_data": N_("No data, temperature unknown"),
}
MACHINERY_ALARMS = {
    ("defrost", "above"): N_("Defrost lasts too long"),
    ("defrost", "below"): N_("No defrost for too long"),
    ("door_open", "above"): N_("Door left open"),
}
ALARM_EVENTS = {
    "raised": N_("Alarm raised"),
    "returned": N_("Back within the limit"),
    "recurred": N_("Late data: it had not ended"),
    "moved": N_("Late data: it began at another time"),
    "withdrawn": N_("Late data: it never was"),
    "acknowledged": N_("Acknowledged"),
}
SEVERITIES = {"high": N_("High"), "medium": N_("Medium"), "low": N_("Low")}
REASONS = {
    "timeout": N_("the instrument does not answer"),
    "crc": N_("disturbed answers on the bus"),
    "checksum": N_("disturbed answers on the bus"),
    "probe_open": N_("the probe is broken or unplugged"),
    "probe_short": N_("the probe has a short circuit"),
    "out_of_range": N_("the value is outside the instrument's range"),
    "overload": N_("overload"),
    "device_busy": N_("the instrument is busy"),
    "no_connection": N_("no connection to the instrument"),
}


def point_text(point: str, words: Words) -> str:
    """Points and quantities in words; a model's own name for something stays its own."""
    return words(POINTS[point]) if point in POINTS else point.replace("_", " ")


def reason_text(reason: str | None, words: Words) -> str:
    """A reason nobody has words for yet is shown as it is: better strange than hidden."""
    if reason is None:
        return ""
    return words(REASONS[reason]) if reason in REASONS else reason.replace("_", " ")
