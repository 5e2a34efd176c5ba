"""The web app: server-rendered pages on the same application as the API."""

from zoneinfo import ZoneInfo

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from cloud.web import alarms, instruments, limits, lots, public, trace, wall, zone
from cloud.web.guard import Guard
from cloud.web.pages import STATIC, WebContext, make_templates
from cloud.web.problem import add_problem_pages
from cloud.web.sparks import SparkShelf
from cloud.web.words import DEFAULT_LANG, Lang

PAGES = (
    wall.router,
    zone.router,
    lots.router,
    trace.router,
    alarms.router,
    limits.router,
    instruments.router,
    public.router,
)


def add_pages(app: FastAPI, site_zone: str = "Asia/Ho_Chi_Minh", lang: Lang = DEFAULT_LANG) -> None:
    """Adds the pages to an application made by `create_api`, whose context they share."""
    app.state.web = WebContext(ZoneInfo(site_zone), make_templates(), SparkShelf(), lang)
    for router in PAGES:
        app.include_router(router)
    add_problem_pages(app)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Guard)
