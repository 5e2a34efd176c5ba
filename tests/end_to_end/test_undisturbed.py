"""The checker on a good day: a site that nobody disturbs is clean, and nothing of it had to be excused."""

import pytest

from tests.support.running_site import RunningSite


@pytest.fixture
def site(tmp_path, mosquitto):
    running = RunningSite(tmp_path, mosquitto, seed=7)
    try:
        running.start_all()
        yield running
    finally:
        running.stop_all()


@pytest.mark.timeout(180)
def test_a_site_that_nobody_disturbs_is_clean(site):
    site.wait_until(lambda: site.readings_stored() > 2000, "readings arrive")
    site.finish()
    report = site.audit()
    assert report["clean"], report
    assert report["total"]["produced"] == report["total"]["stored"] > 2000
    assert site.committed.readings
    assert site.never_stored() == 0
