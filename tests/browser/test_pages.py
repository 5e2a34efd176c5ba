import json
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect
from small_plant import HOUR, MINUTE

from cloud.live import Change
from cloud.web.formats import Formats
from cloud.web.words import load_words

PATHS = ("/", "/zones/kho-lanh-b", "/lots", "/lots/BM261120-03", "/alarms", "/alarms?a=1", "/instruments")
PAYLOAD = '"><img src=x onerror=alert(1)><script>alert(1)</script>'


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 1280])
def test_no_page_complains_or_overflows(open_page, width, theme):
    watched = open_page("/", width, theme)
    for path in PATHS:
        watched.page.goto(watched.page.url.split("/", 3)[0] + "//" + watched.page.url.split("/")[2] + path)
        expect(watched.page.locator("#live")).to_have_attribute("data-live", "on")
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert watched.complaints == []


def test_the_wall_moves_without_a_reload(open_page, site):
    watched = open_page("/")
    value = watched.page.locator("#zone-kho-lanh-a [data-value]")
    watched.page.evaluate("window.sameDocument = true")
    site.measure("kho-lanh-a", "-19.4")
    expect(value).to_have_text("−19,4")
    site.measure("kho-lanh-a", "-19.9")
    expect(value).to_have_text("−19,9")
    expect(watched.page.locator("#zone-kho-lanh-a time.age")).to_have_text("0 giây trước")
    assert watched.page.evaluate("window.sameDocument")


def test_a_new_breach_turns_its_tile_and_the_sentence(open_page, site):
    watched = open_page("/")
    tile = watched.page.locator("#zone-kho-lanh-a")
    expect(tile).to_have_attribute("data-state", "normal")
    expect(watched.page.locator("#live")).to_have_attribute("data-live", "on")
    now = site.plant.now
    key = site.plant.breach("kho-lanh-a", now - HOUR, confirmed_at=now - 30 * MINUTE, extreme=-15.0, extreme_at=now)
    site.plant.alarm("kho-lanh-a", now - 30 * MINUTE, breach_key=key)
    site.hub.publish_changed([Change("zone", "kho-lanh-a")])
    expect(tile).to_have_attribute("data-state", "breach")
    expect(watched.page.locator("#sum")).to_contain_text("3 vùng cần xử lý")
    expect(watched.page.locator("#section-alarms .count")).to_have_text("3")


def test_a_cut_line_is_seen_within_seconds(open_page, site):
    watched = open_page("/")
    expect(watched.page.locator("#live")).to_have_attribute("data-live", "on")
    site.hub.close()
    site.stop()
    expect(watched.page.locator("#live")).to_contain_text("mất kết nối", timeout=15_000)
    expect(watched.page.locator("body")).to_have_class("lost")


def test_acknowledging_takes_one_tap(open_page, site):
    watched = open_page("/alarms?a=1", 390)
    watched.page.locator("#acknowledge-button").click()
    expect(watched.page.locator(".toast")).to_contain_text("đã xác nhận")
    expect(watched.page.locator("#alarm .alarm-head")).to_have_attribute("data-look", "acknowledged")
    expect(watched.page.locator("#alarm")).to_contain_text("người vận hành")
    assert watched.complaints == []


def test_an_acknowledgement_carries_name_and_note_and_the_name_is_kept(open_page, site):
    watched = open_page("/alarms?a=1")
    watched.page.fill("#ack-by", "Nguyễn Thị Mai")
    watched.page.fill("#ack-note", "Đã đóng cửa")
    watched.page.keyboard.press("Enter")
    expect(watched.page.locator("#alarm")).to_contain_text("Nguyễn Thị Mai đã xác nhận")
    expect(watched.page.locator("#alarm")).to_contain_text("Đã đóng cửa")
    watched.page.goto(site.url + "/alarms?a=3")
    expect(watched.page.locator("#ack-by")).to_have_value("Nguyễn Thị Mai")


def test_a_refused_acknowledgement_says_why(open_page, site):
    watched = open_page("/alarms?a=1")
    watched.page.route("**/acknowledge", lambda route: route.fulfill(status=503, body=json.dumps({"detail": "later"})))
    watched.page.locator("#acknowledge-button").click()
    expect(watched.page.locator("#acknowledge-error")).to_contain_text("later")
    expect(watched.page.locator("#acknowledge-button")).to_be_enabled()


def test_what_is_typed_survives_the_renewal_of_the_page(open_page, site):
    watched = open_page("/alarms?a=1")
    watched.page.fill("#ack-note", "Đang gọi kỹ thuật")
    expect(watched.page.locator("#live")).to_have_attribute("data-live", "on")
    site.plant.change("alarm", 1, severity="medium")
    site.hub.publish_changed([Change("alarm", "1")])
    expect(watched.page.locator("#alarm .alarm-state")).to_contain_text("mức: vừa")
    expect(watched.page.locator("#ack-note")).to_have_value("Đang gọi kỹ thuật")


@pytest.mark.parametrize("path", ["/zones/kho-lanh-b", "/lots", "/lots/BM-X", "/alarms?a=1", "/lots?q=x"])
def test_names_from_outside_fire_nothing(open_page, site, path):
    lot = site.plant.lot("BM-X", PAYLOAD, PAYLOAD)
    site.plant.stay(lot, "kho-lanh-b", site.plant.now - 20 * HOUR)
    watched = open_page(path)
    expect(watched.page.locator("#live")).to_have_attribute("data-live", "on")
    if path.startswith("/zones"):
        expect(watched.page.locator("#lanes a")).to_have_count(4)
    assert watched.page.evaluate("document.querySelectorAll('img, main script').length") == 0
    assert watched.complaints == []


def test_the_chart_shows_limits_lots_and_ranges(open_page, site):
    watched = open_page("/zones/kho-lanh-b")
    expect(watched.page.locator("#plot canvas")).to_be_visible()
    expect(watched.page.locator("#lots-head")).to_have_text("Lô có mặt (3)")
    expect(watched.page.locator("#lanes .hitpart")).to_have_count(3)
    watched.page.get_by_role("button", name="7 ngày").click()
    expect(watched.page.get_by_role("button", name="7 ngày")).to_have_attribute("aria-pressed", "true")
    assert "range=7d" in watched.page.url


def test_a_lot_shows_every_zone_on_one_axis(open_page, site):
    watched = open_page("/lots/BM261120-03")
    expect(watched.page.locator("#journey .seg")).to_have_count(6)
    expect(watched.page.locator("#journey .corr")).to_have_count(6)
    expect(watched.page.locator("#journey .seg-bad")).to_have_count(1)
    expect(watched.page.locator("#stops .stop")).to_have_count(6)
    expect(watched.page.locator("#verdict")).to_have_attribute("data-state", "fail")


def test_light_and_dark_are_remembered(open_page, site):
    watched = open_page("/")
    watched.page.locator("#theme").click()
    expect(watched.page.locator("html")).to_have_attribute("data-theme", "dark")
    watched.page.reload()
    expect(watched.page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("width", [390, 1280])
def test_every_target_is_large_enough_for_a_thumb(open_page, width):
    watched = open_page("/", width)
    root = watched.page.url.rstrip("/")
    for path in PATHS:
        watched.page.goto(root + path)
        small = watched.page.evaluate(
            """() => [...document.querySelectorAll('a, button, input, select')]
                .filter((node) => node.offsetParent && !node.closest('svg') && !node.matches('.skip'))
                .map((node) => [node.outerHTML.slice(0, 80), node.getBoundingClientRect()])
                .filter(([, box]) => box.height < 47.5 || box.width < 43.5)
                .map(([html, box]) => `${Math.round(box.width)}x${Math.round(box.height)} ${html}`)"""
        )
        assert small == [], path


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_server_and_browser_print_the_same_strings(open_page, site, lang):
    watched = open_page(f"/?lang={lang}")
    now = 1_795_246_320_000
    f = Formats(load_words(lang), ZoneInfo("Asia/Ho_Chi_Minh"), now)
    numbers = ["-19.4", "0", "-0.0", "12345.6", "1000000", "0.485", "-1234.50"]
    floats = [0.25, -0.25, -0.04, 10.05, -14.249999, 1234.5, 0.0]
    times = [0, 4400, 59_499, 59_500, 3_569_000, 3_570_000, 3_900_000, 118_800_000, 172_800_000, -5000]
    moments = [now, now - 60_000, now - 86_400_000, now - 400 * 86_400_000]
    got = watched.page.evaluate(
        """async ([numbers, floats, times, moments, now]) => {
            const f = await import(document.querySelector('script[type=module]').src.replace(/wall\\.js.*/, 'formats.js'));
            return {
                numbers: numbers.map((v) => f.number(v)), floats: floats.map((v) => f.number(v, 1)), short: numbers.map((v) => f.short(v)),
                times: times.map((v) => f.duration(v)), moments: moments.map((v) => f.when(v, now)), ago: f.ago(now - 4000, now),
                limits: [f.limit(null, '4.0'), f.limit('-24', '-18'), f.limit('-1.5', null), f.limit(null, null)],
                units: [f.quantity('-19.4', 'degC'), f.quantity('5', '1')],
            };
        }""",
        [numbers, floats, times, moments, now],
    )
    assert got == {
        "numbers": [f.number(value) for value in numbers],
        "floats": [f.number(value, 1) for value in floats],
        "short": [f.short(value) for value in numbers],
        "times": [f.duration(value) for value in times],
        "moments": [f.when(value) for value in moments],
        "ago": f.ago(now - 4000),
        "limits": [f.limit(None, "4.0"), f.limit("-24", "-18"), f.limit("-1.5", None), f.limit(None, None)],
        "units": [f.quantity("-19.4", "degC"), f.quantity("5", "1")],
    }
