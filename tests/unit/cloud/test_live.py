import asyncio
import threading
from contextlib import aclosing

from cloud.live import EVERYTHING, MAX_CHANGES_WAITING, Change, LiveHub, LiveValue, News

NOW = 1_000_000


def value(point: str, at: int, text: str = "1.0") -> LiveValue:
    return LiveValue(point, at, text, "°C", "good")


def hub(pace_s: float = 0.0) -> LiveHub:
    return LiveHub(lambda: NOW, pace_s)


async def first(subscription) -> News:
    async with aclosing(subscription.news(heartbeat_s=5)) as stream:
        return await anext(stream)


async def test_a_value_from_a_thread_reaches_every_browser():
    live = hub()
    async with live.subscribe() as one, live.subscribe() as other:
        threading.Thread(target=live.publish_values, args=([value("a", 1)],)).start()
        assert (await first(one)).values == (value("a", 1),)
        assert (await first(other)).values == (value("a", 1),)


async def test_a_slow_browser_gets_the_newest_of_each_point_and_no_queue():
    live = hub()
    async with live.subscribe() as slow:
        for at in range(1000):
            live.publish_values([value("a", at, str(at)), value("b", at, str(at))])
            await asyncio.sleep(0)
        news = await first(slow)
    assert sorted(each.value for each in news.values) == ["999", "999"]


async def test_a_value_older_than_the_shown_one_is_dropped():
    live = hub()
    live.publish_values([value("a", 10), value("a", 9)])
    live.publish_values([value("a", 10, "again")])
    assert live.newest("a") == value("a", 10)


async def test_a_value_from_the_future_is_not_now():
    live = hub()
    live.publish_values([value("a", NOW + 120_001)])
    assert live.newest("a") is None


async def test_a_new_browser_begins_with_what_is_known():
    live = hub()
    live.publish_values([value("a", 1)])
    async with live.subscribe() as late:
        assert (await first(late)).values == (value("a", 1),)


async def test_changes_are_told_once_and_too_many_become_everything():
    live = hub()
    async with live.subscribe() as browser:
        live.publish_changed([Change("zone", "kho"), Change("zone", "kho")])
        assert (await first(browser)).changes == (Change("zone", "kho"),)
        live.publish_changed(Change("lot", str(i)) for i in range(MAX_CHANGES_WAITING + 1))
        assert (await first(browser)).changes == (EVERYTHING,)


async def test_silence_is_broken_by_a_heartbeat():
    async with hub().subscribe() as browser, aclosing(browser.news(heartbeat_s=0.01)) as stream:
        assert await anext(stream) == News()


async def test_news_are_paced():
    live = hub(pace_s=0.05)
    loop = asyncio.get_running_loop()
    async with live.subscribe() as browser, aclosing(browser.news(heartbeat_s=5)) as stream:
        live.publish_values([value("a", 1)])
        await anext(stream)
        sent = loop.time()
        live.publish_values([value("a", 2)])
        await anext(stream)
        assert loop.time() - sent >= 0.045


async def test_a_closed_hub_ends_every_stream():
    live = hub()
    async with live.subscribe() as browser:
        asyncio.get_running_loop().call_soon(live.close)
        assert [news async for news in browser.news(heartbeat_s=5)] == []
    assert live.subscribers == 0
