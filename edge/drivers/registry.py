"""Which drivers there are: a new protocol is one module beside this one and one line here."""

from collections.abc import Callable, Mapping

from edge.drivers import m100_r200, mt_sics
from edge.drivers.errors import UnknownDriver
from edge.drivers.frames import Decoder, WarningFrame
from edge.drivers.params import Params

DRIVERS: Mapping[str, Callable[[Params], Decoder]] = {
    "m100_r200": m100_r200.decoder,
    "mt_sics": mt_sics.decoder,
}


def make_decoder(driver: str, params: Mapping[str, object]) -> tuple[Decoder, list[WarningFrame]]:
    """A decoder, and a warning for each option that this driver lacks.

    Raises UnknownDriver or BadParameter.
    """
    if driver not in DRIVERS:
        raise UnknownDriver(driver, DRIVERS)
    options = Params(params)
    decoder = DRIVERS[driver](options)
    return decoder, [WarningFrame("unknown_param", f"{driver} has no option {name!r}") for name in options.unused]


def poll_request(driver: str, params: Mapping[str, object]) -> bytes:
    """What to send to get an answer; empty for an instrument that speaks unasked."""
    return make_decoder(driver, params)[0].poll_request
