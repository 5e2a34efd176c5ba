import re

import pytest
from small_plant import HOUR, NOW, SmallPlant

PAGES = (
    "/",
    "/zones/kho-lanh-b",
    "/zones/kho-lanh-c",
    "/lots",
    "/lots?q=c%C3%A1nh",
    "/lots?q=nothing",
    "/lots/BM261120-03",
    "/lots/BM261110-01",
    "/alarms",
    "/alarms?a=2",
    "/alarms?a=3",
    "/alarms?a=4",
    "/instruments",
    "/trace",
    "/trace?q=BM",
    "/trace?lot=BM261120-03",
    "/trace?lot=BM261120-03&dir=back",
)
EMPTY_PAGES = ("/", "/lots", "/alarms")
PAYLOAD = '"><img src=x onerror=alert(1)><script>alert(1)</script>'


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_shows_in_both_languages(web, busy_plant, path, lang):
    answer = web.get(
        path, params={**dict(pair.split("=") for pair in path.partition("?")[2].split("&") if pair), "lang": lang}
    )
    assert answer.status_code == 200
    assert f'<html lang="{lang}"' in answer.text


@pytest.mark.parametrize("path", EMPTY_PAGES)
def test_an_empty_page_says_what_to_do_next(web, store, path):
    assert 'class="empty"' in web.get(path).text


def test_a_chosen_language_is_remembered(web, store):
    web.get("/", params={"lang": "en"})
    assert '<html lang="en"' in web.get("/").text


def test_vietnamese_is_the_default_whatever_the_browser_prefers(web, store):
    assert '<html lang="vi"' in web.get("/", headers={"accept-language": "en"}).text


def test_the_sum_of_the_site_stands_first(web, busy_plant):
    text = web.get("/").text
    assert "2 vùng cần xử lý, 1 vùng chưa biết nhiệt độ." in text
    assert text.index("2 vùng cần xử lý") < text.index('class="tiles"')


def test_an_unknown_zone_shows_a_question_mark_and_its_last_value(web, busy_plant):
    tile = re.search(r'id="zone-kho-lanh-c".*?</a>', web.get("/").text, re.DOTALL)[0]
    assert 'data-state="unknown"' in tile
    assert ">?<" in tile
    assert "lần cuối −" in tile


def test_every_value_on_the_wall_carries_its_age(web, busy_plant):
    text = web.get("/").text
    assert text.count('class="tile"') == text.count('class="age"') == 12


@pytest.mark.parametrize(
    "path", ["/", "/lots", "/lots/BM-X", "/zones/kho", "/alarms", "/instruments", "/trace", "/trace?lot=BM-X"]
)
def test_names_from_outside_never_become_markup(web, plant: SmallPlant, path):
    plant.zone("kho", PAYLOAD, PAYLOAD, high="-18")
    plant.readings(plant.probe("kho", device="probe"), [(NOW - 1000, -14.0)])
    plant.stay(plant.lot("BM-X", PAYLOAD, PAYLOAD), "kho", NOW - HOUR)
    plant.breach("kho", NOW - HOUR, confirmed_at=NOW - 1000, extreme=-14.0, extreme_at=NOW - 1000)
    plant.alarm("kho", NOW - 1000, "acknowledged", ack_by=PAYLOAD, ack_at=NOW, ack_note=PAYLOAD)
    text = web.get(path).text
    assert "<img src=x" not in text
    assert "<script>alert" not in text


def test_a_search_never_becomes_markup(web, store):
    assert "<img src=x" not in web.get("/lots", params={"q": PAYLOAD}).text


def test_the_policy_allows_only_our_own_files(web, busy_plant):
    answer = web.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert " style=" not in answer.text
    assert not re.search(r"<script(?![^>]*(src=|application/json))", answer.text)


def test_pages_load_nothing_from_elsewhere(web, busy_plant):
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', web.get("/zones/kho-lanh-b").text)


def test_another_sites_page_cannot_act_in_our_name(web, busy_plant):
    answer = web.post("/api/v1/alarms/1/acknowledge", json={"by": "x"}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


def test_a_rebound_name_is_not_served(web, busy_plant):
    assert web.get("/", headers={"host": "evil.example:8080"}).status_code == 403
    assert web.get("/", headers={"host": "[::1]:8080"}).status_code == 200


def test_what_is_not_there_is_a_page_for_people_and_a_problem_for_programs(web, busy_plant):
    page = web.get("/lots/none")
    assert (page.status_code, "Không có gì ở đây" in page.text) == (404, True)
    assert web.get("/lots/none", headers={"accept": "*/*"}).headers["content-type"] == "application/problem+json"
    assert web.get("/api/v1/lots/none").headers["content-type"] == "application/problem+json"


def test_static_files_are_kept_by_their_content(web, store):
    [address] = re.findall(r'href="(/static/css/tokens\.css\?v=\w+)"', web.get("/").text)
    assert "immutable" in web.get(address).headers["cache-control"]
    assert web.get("/static/css/tokens.css").headers["cache-control"] == "no-cache"


def test_the_page_says_that_it_is_open(web, store):
    assert "chưa có đăng nhập" in web.get("/").text


def test_a_status_bit_never_speaks_as_the_temperature_of_its_zone(web, plant):
    plant.zone("kho-lanh-b", "Kho lạnh B", "Cold store B", high="-18")
    plant.readings(plant.probe("kho-lanh-b"), [(NOW - 2000, -20.4)])
    bit = plant.probe("kho-lanh-b", "controller", "status.defrost", unit="1")
    plant.change("installation", 2, role="defrost")
    plant.readings(bit, [(NOW - 1000, 0.0)], decimals=0)
    for path in ("/", "/zones/kho-lanh-b"):
        text = web.get(path).text
        assert 'data-points="gw-01/kho-lanh-b-probe/temperature"' in text
        assert "−20,4" in text
