import pytest
from fastapi.testclient import TestClient
from small_plant import DAY, HOUR, MINUTE, NOW, SmallPlant

from cloud.api.app import create_api
from cloud.api.context import ApiContext
from cloud.api.times import iso
from cloud.live import LiveHub
from cloud.trace.settings import ELEMENTS, Name, Producer, Product, TraceSettings
from cloud.web.app import add_pages

GTIN = "09521234543213"
BINH_MINH = TraceSettings(
    company_prefix="9521234",
    gln="9521234000075",
    producer=Producer(
        name=Name(vi="Công ty Bình Minh", en="Binh Minh Co."), address=Name(vi="Tân An", en="Tan An"), phone="1800 0000"
    ),
    products=(
        Product(
            gtin=GTIN,
            brand=Name(vi="Khay 1 kg", en="1 kg tray"),
            shelf_life_days=365,
            storage=Name(vi="ở −18 °C", en="at −18 °C"),
            standards=("TCVN 12429-3:2021",),
        ),
    ),
)


def site(store, settings: TraceSettings) -> TestClient:
    app = create_api(ApiContext(store=store, hub=LiveHub(lambda: NOW), now_ms=lambda: NOW, trace=settings))
    add_pages(app)
    return TestClient(app, headers={"accept": "text/html"})


@pytest.fixture
def kept_cold(plant: SmallPlant, store) -> TestClient:
    plant.zone("kho", "Kho lạnh", "Cold store", high="-18", on_delay_s=60)
    plant.readings(plant.probe("kho"), [(NOW - 5 * HOUR + i * MINUTE, -20.5) for i in range(5 * 60) if not 60 < i < 90])
    client = site(store, BINH_MINH)
    body = {
        "key": "BM1",
        "gtin": GTIN,
        "name": {"vi": "Cánh gà", "en": "Wings"},
        "quantity_kg": "986.2",
        "created_at": iso(NOW - 3 * DAY),
    }
    assert client.post("/api/v1/lots", json=body).status_code == 201
    client.post("/api/v1/lots/BM1/move", json={"zone": "kho", "at": iso(NOW - 5 * HOUR), "by": "Võ Thị Hạnh"})
    return client


def test_the_ten_elements_stand_first_and_in_order(kept_cold):
    page = kept_cold.get(f"/p/{GTIN}/BM1").text
    places = [page.index(f'<span class="ten-no">{number}</span>') for number in range(1, 11)]
    assert places == sorted(places) and places[-1] < page.index("Lô này đã được giữ lạnh thế nào")
    for words in (
        "Cánh gà",
        "Công ty Bình Minh",
        "Tân An",
        "Kho lạnh",
        "18/11/2026",
        "18/11/2027",
        "Khay 1 kg",
        "TCVN 12429-3:2021",
    ):
        assert words in page
    assert "(01)09521234543213(10)BM1(414)9521234000075" in page
    assert page.count("Chưa công bố") == 1  # nobody gave a picture


def test_the_story_says_what_is_unknown_and_never_who(kept_cold):
    page = kept_cold.get(f"/p/{GTIN}/BM1", params={"lang": "en"}).text
    assert "air between −20.5 and −20.5 °C" in page and "The limit: ≤ −18 °C" in page
    assert "without readings" in page and "This time is not counted as good." in page
    assert "Hạnh" not in page
    assert "Hạnh" not in kept_cold.get(f"/api/v1/public/lots/{GTIN}/BM1").text


def test_what_is_not_public_is_not_sent(kept_cold, store):
    shy = site(store, TraceSettings(public=("name", "code", "producer")))
    told = shy.get(f"/api/v1/public/lots/{GTIN}/BM1").json()
    assert {name for name, value in told["elements"].items() if value} == {"name", "code"}
    assert (told["story"], told["missing"]) == (None, ["producer"])
    page = shy.get(f"/p/{GTIN}/BM1").text
    assert "Kho lạnh" not in page and "986" not in page and '<span class="ten-no">7</span>' in page


def test_a_recall_stands_above_everything(kept_cold):
    recall = {"kind": "recall", "at": iso(NOW), "by": "An", "subjects": [{"lot": "BM1"}], "reason": "x"}
    assert kept_cold.post("/api/v1/lot-events", json=recall).status_code == 201
    page = kept_cold.get(f"/p/{GTIN}/BM1").text
    assert page.index("Đang thu hồi, đừng dùng") < page.index('<span class="ten-no">1</span>')
    assert "1800 0000" in page and "Đạt yêu cầu giữ lạnh" not in page


@pytest.mark.parametrize("path", ["/p/09521234543213/none", "/p/00000000000000/BM1", "/p/x/BM1"])
def test_another_lot_or_product_is_not_found(kept_cold, path):
    assert kept_cold.get(path).status_code in (404, 422)


def test_every_element_of_the_circular_can_be_public():
    assert set(ELEMENTS) <= set(TraceSettings().public)
