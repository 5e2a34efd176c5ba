"""Which drivers there are: a new protocol is one module beside this one and one line here."""

from collections.abc import Callable, Mapping

from edge.drivers import (
    and_standard,
    cas,
    chainway,
    llrp_session,
    low_frequency,
    m100_r200,
    mt_sics,
    ohaus,
    sartorius,
    st_gs,
    thingmagic,
    toledo,
    uhfreader,
    yaohua_eq,
    yaohua_frames,
    yaohua_lines,
)
from edge.drivers.errors import UnknownDriver
from edge.drivers.frames import Decoder, WarningFrame
from edge.drivers.params import Params
from edge.drivers.stability import DerivedStability


def _modbus_rtu(params: Params) -> Decoder:
    from edge.drivers.modbus_points import rtu_decoder  # knows profiles, and profiles know this registry

    return rtu_decoder(params)


def _modbus_tcp(params: Params) -> Decoder:
    from edge.drivers.modbus_points import tcp_decoder

    return tcp_decoder(params)


DRIVERS: Mapping[str, Callable[[Params], Decoder]] = {
    "and_standard": and_standard.decoder,
    "cas_10": cas.cas_10_decoder,
    "cas_22": cas.cas_22_decoder,
    "cas_and18": cas.and18_decoder,
    "chainway": chainway.decoder,
    "em4100": low_frequency.em4100_decoder,
    "llrp": llrp_session.decoder,
    "m100_r200": m100_r200.decoder,
    "modbus_rtu": _modbus_rtu,
    "modbus_tcp": _modbus_tcp,
    "mt_sics": mt_sics.decoder,
    "ohaus": ohaus.decoder,
    "sartorius_16": sartorius.decoder,
    "st_gs": st_gs.st_gs_decoder,
    "thingmagic": thingmagic.decoder,
    "toledo_continuous": toledo.decoder,
    "uhfreader18": uhfreader.reader18_decoder,
    "uhfreader288": uhfreader.reader288_decoder,
    "weightech_wt1000": st_gs.wt1000_decoder,
    "wl134_fdxb": low_frequency.wl134_decoder,
    "yaohua_a12e": yaohua_lines.a12e_decoder,
    "yaohua_a9": yaohua_frames.a9_decoder,
    "yaohua_command": yaohua_frames.command_decoder,
    "yaohua_eq": yaohua_eq.decoder,
    "yaohua_w_line": yaohua_lines.w_line_decoder,
}


def make_decoder(
    driver: str, params: Mapping[str, object], clock_ms: Callable[[], int] = lambda: 0
) -> tuple[Decoder, list[WarningFrame]]:
    """A decoder, and a warning for each option that this driver lacks.

    `clock_ms` matters to derived stability only; without it, frames count as if they came with no gap between.
    Raises UnknownDriver or BadParameter.
    """
    if driver not in DRIVERS:
        raise UnknownDriver(driver, DRIVERS)
    options = Params(params)
    decoder = DRIVERS[driver](options)
    if (rule := options.given("derive_stability")) is not None:
        decoder = DerivedStability(decoder, rule, clock_ms)
    return decoder, [WarningFrame("unknown_param", f"{driver} has no option {name!r}") for name in options.unused]


def poll_request(driver: str, params: Mapping[str, object]) -> bytes:
    """What to send to get an answer; empty for an instrument that speaks unasked."""
    return make_decoder(driver, params)[0].poll_request
