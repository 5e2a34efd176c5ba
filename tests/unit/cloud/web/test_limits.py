import re

import pytest
from small_plant import HOUR, MINUTE, NOW


def text_of(answer):
    main = answer.text.partition("<main")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


@pytest.fixture
def spiky(plant):
    """A store whose air is warm for 40 min a day."""
    plant.zone("kho-lanh-b", "Kho lạnh B", "Cold store B", high="-18", context_delays='{"defrost": 4800}')
    series = plant.probe("kho-lanh-b")
    values = [
        (NOW - day * 24 * HOUR + m * MINUTE, -15.0 if 60 <= m < 100 else -20.0) for day in (1, 2, 3) for m in range(240)
    ]
    plant.readings(series, sorted(values))
    return plant


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "alarm after 30 min, 1 h 20 from the start of a defrost"), ("vi", "kể từ lúc bắt đầu xả băng")],
)
def test_limits_stand_with_their_delays_in_words(web, spiky, lang, said):
    assert said in text_of(web.get("/limits", params={"lang": lang}))


def test_other_values_show_what_they_would_have_done(web, spiky):
    tried = {"limit": "1", "on_delay": "60", "setpoint": "-18", "defrost": "80", "lang": "en"}
    assert "3 alarms in 14 days → 0, missed 0" in text_of(web.get("/limits", params=tried))
    assert "3 alarms in 14 days → 3, missed 0" in text_of(web.get("/limits", params={**tried, "on_delay": "5"}))
    assert "→ 0" in text_of(web.get("/limits", params={**tried, "on_delay": "5", "setpoint": "−14,5"}))


@pytest.mark.parametrize("odd", [{"on_delay": "soon"}, {"setpoint": "NaN"}, {"limit": "99"}, {"limit": "<b>"}])
def test_what_makes_no_sense_changes_nothing(web, spiky, odd):
    assert web.get("/limits", params={"limit": "1", **odd}).status_code == 200


def test_without_limits_the_page_says_where_they_come_from(web, plant):
    assert 'class="empty"' in web.get("/limits").text
