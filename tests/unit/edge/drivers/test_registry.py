import pytest

from edge.drivers.errors import UnknownDriver
from edge.drivers.registry import DRIVERS, make_decoder, poll_request


def test_an_unknown_driver_names_the_known_ones() -> None:
    with pytest.raises(UnknownDriver) as caught:
        make_decoder("toledo", {})
    assert all(driver in str(caught.value) for driver in DRIVERS)


def test_an_option_that_a_driver_lacks_is_a_warning() -> None:
    _, warnings = make_decoder("em4100", {"unit": "kg", "mask_bit7": True})
    assert [warning.detail for warning in warnings] == ["em4100 has no option 'unit'"]


@pytest.mark.parametrize(
    ("driver", "params", "request_hex"),
    [
        ("mt_sics", {}, "53490D0A"),
        ("mt_sics", {"request_command": "SIR"}, "5349520D0A"),
        ("yaohua_command", {}, "024142303303"),
        ("yaohua_command", {"address": "C", "request_command": "D"}, "024344303703"),
        ("m100_r200", {}, "BB0027000322FFFF4A7E"),
        ("m100_r200", {"head": "AA"}, "AA0027000322FFFF4ADD"),
        ("uhfreader18", {}, "040001DB4B"),
        ("em4100", {}, ""),
    ],
)
def test_polled_instruments_say_what_to_send(driver: str, params: dict[str, object], request_hex: str) -> None:
    assert poll_request(driver, params).hex().upper() == request_hex
