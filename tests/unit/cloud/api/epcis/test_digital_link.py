import pytest
from small_plant import HOUR, NOW

from cloud.api.times import iso

GTIN = "09521234543213"
PATH = f"/01/{GTIN}/10/BM1"


@pytest.fixture
def labelled(api, plant):
    plant.zone("kho", "Kho lạnh", "Cold store")
    body = {
        "key": "BM1",
        "gtin": GTIN,
        "name": {"vi": "Cánh gà", "en": "Wings"},
        "quantity_kg": "12.5",
        "created_at": iso(NOW - HOUR),
    }
    assert api.post("/api/v1/lots", json=body).status_code == 201
    return api


def ask(api, path: str, **headers: str):
    return api.get(
        path, headers={name.replace("_", "-"): value for name, value in headers.items()}, follow_redirects=False
    )


@pytest.mark.parametrize(
    ("languages", "ends"),
    [
        ("", "?lang=vi"),
        ("en-GB,en;q=0.9,vi;q=0.5", "?lang=en"),
        ("fr, vi;q=0.8", "?lang=vi"),
        ("en;q=0.1,vi", "?lang=vi"),
    ],
)
def test_a_scanned_code_leads_to_the_public_page_in_the_readers_language(labelled, languages, ends):
    answer = ask(labelled, PATH, accept_language=languages)
    assert (answer.status_code, answer.headers["location"]) == (307, f"http://testserver/p/{GTIN}/BM1{ends}")
    assert 'rel="linkset"' in answer.headers["link"]


def test_dates_in_the_code_go_on_to_the_page(labelled):
    assert ask(labelled, PATH + "?17=271118").headers["location"].endswith("/BM1?lang=vi&17=271118")


def test_a_program_gets_all_links_or_the_kind_it_wants(labelled):
    every = ask(labelled, PATH, accept="application/linkset+json")
    assert every.headers["content-type"] == "application/linkset+json"
    [about] = every.json()["linkset"]
    assert (about["anchor"], about["itemDescription"]) == (f"http://testserver{PATH}", "Cánh gà")
    assert [link["hreflang"] for link in about["https://gs1.org/voc/pip"]] == [["vi"], ["en"]]
    assert "https://gs1.org/voc/defaultLink" in about
    assert ask(labelled, PATH + "?linkType=all").json() == every.json()
    epcis = ask(labelled, PATH + "?linkType=gs1:epcis").headers["location"]
    assert labelled.get(epcis).status_code == 404  # no event names it yet
    assert ask(labelled, PATH + "?linkType=gs1:recipe").status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [("/01/09521234543214/10/BM1", 400), (f"/01/{GTIN}/10/other", 404), ("/01/09521234000006/10/BM1", 404), ("/414/9521234000075/254/none", 404)],
)  # fmt: skip
def test_what_is_not_ours_or_not_right_leads_nowhere(labelled, path, status):
    assert ask(labelled, path).status_code == status


def test_a_zone_leads_to_its_page(labelled):
    assert ask(labelled, "/414/9521234000075/254/kho").headers["location"] == "http://testserver/zones/kho"


def test_the_resolver_describes_itself(labelled):
    assert "01" in labelled.get("/.well-known/gs1resolver").json()["supportedPrimaryKeys"]


@pytest.mark.parametrize(
    ("kind", "media"), [("svg", "image/svg+xml"), ("zpl", "application/vnd.zebra-zpl"), ("pdf", "application/pdf")]
)
def test_a_label_is_printed(labelled, kind, media):
    if kind == "pdf":
        pytest.importorskip("typst")
    answer = labelled.get("/api/v1/lots/BM1/label", params={"format": kind})
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, media)
    if kind == "zpl":
        assert f"^FDMA,http://testserver{PATH}?11=261121&3103=012500^FS" in answer.text
