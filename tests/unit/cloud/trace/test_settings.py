from pathlib import Path

import pytest

from cloud.trace.settings import ELEMENTS, NO_SETTINGS, read_trace
from ground.configfile import ConfigError

EXAMPLE = Path(__file__).parents[4] / "firmware-config" / "sites" / "binh-minh.trace.yaml"


def test_the_example_states_all_ten_elements():
    settings = read_trace(EXAMPLE)
    assert set(ELEMENTS) <= set(settings.public)
    for product in settings.products:
        assert product.brand and product.image and product.shelf_life_days and product.standards
    assert settings.producer and settings.prefix_digits == 7


def test_places_and_lots_have_gs1_names_or_names_of_our_own():
    settings = read_trace(EXAMPLE)
    assert settings.place("kho-lanh-a") == "https://id.gs1.org/414/9521234000075/254/kho-lanh-a"
    assert settings.zone_of("urn:epc:id:sgln:9521234.00007.kho-lanh-a", ["be-1", "kho-lanh-a"]) == "kho-lanh-a"
    assert settings.zone_of("urn:uuid:1", ["be-1"]) is None
    assert settings.lot("09521234543213", "BM1") == "https://id.gs1.org/01/09521234543213/10/BM1"
    assert settings.lot("09521234543213", "Lô 7") == "urn:coldlink:lot:L%C3%B4%207"
    assert NO_SETTINGS.place("kho") == "urn:coldlink:zone:kho"


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ('gln: "9521234000076"', "gln", "would be 5"),
        ('company_prefix: "95"', "company_prefix", "6 to 12 digits"),
        ('products: [{gtin: "09521234543214"}]', "products[0].gtin", "would be 3"),
        ('products: [{gtin: "09521234543213", image: none.png}]', "products[0].image", "no file"),
        ("base_url: id.firm.vn", "base_url", "https://"),
        ("public: [salary]", "public", "salary"),
    ],
)
def test_a_mistake_is_answered_with_its_key_and_what_would_be_right(tmp_path, text, key, says):
    path = tmp_path / "trace.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_trace(path)
    assert caught.value.key.startswith(key)
    assert says in str(caught.value)
