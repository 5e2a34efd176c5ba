"""What every page needs: its language, its moment, its templates; one HTML answer."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, cast
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cloud.api.context import ApiContext, context_of
from cloud.api.times import iso
from cloud.api.values import Name
from cloud.web import states
from cloud.web.formats import Formats
from cloud.web.sparks import SparkShelf
from cloud.web.words import Lang, Words, as_lang, load_words

WEB = Path(__file__).parent
STATIC = WEB / "static"
YEAR_S = 365 * 86_400


@dataclass(frozen=True, slots=True)
class WebContext:
    """What the pages need beyond the API's context."""

    site_zone: ZoneInfo
    templates: Environment
    sparks: SparkShelf
    lang: Lang  # of those who have not chosen


def make_templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(WEB / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(
        {"static": _static_urls(), "states": states, "icons": f"/static/icons.svg?v={_digest('icons.svg')}"}
    )
    return templates


@dataclass(frozen=True)
class Page:
    """One request: who asks, in which language, at which moment."""

    request: Request
    house: ApiContext
    web: WebContext
    lang: Lang
    now_ms: int

    @cached_property
    def words(self) -> Words:
        return load_words(self.lang)

    @cached_property
    def formats(self) -> Formats:
        return Formats(self.words, self.web.site_zone, self.now_ms)

    def name(self, name: Name) -> str:
        return name.vi if self.lang == "vi" else name.en

    def render(self, template: str, /, **facts: object) -> HTMLResponse:
        html = self.web.templates.get_template(template).render(
            page=self,
            words=self.words,
            plural=self.words.plural,
            f=self.formats,
            lang=self.lang,
            browser=self._for_browser(),
            other_lang_url=self._in_other_language(),
            theme=self.request.cookies.get("theme", ""),
            reason_text=lambda reason: states.reason_text(reason, self.words),
            **facts,
        )
        response = HTMLResponse(html, headers={"Cache-Control": "no-store"})
        if as_lang(self.request.query_params.get("lang")):
            response.set_cookie("lang", self.lang, max_age=YEAR_S, samesite="lax")
        return response

    def _for_browser(self) -> Markup:
        """Facts and words for the scripts, as a data block: it is never run, and `<` cannot end it early."""
        facts = {
            "lang": self.lang,
            "zone": self.web.site_zone.key,
            "now": iso(self.now_ms),
            "words": self.words.for_browser,
        }
        return Markup(json.dumps(facts, ensure_ascii=False).replace("<", "\\u003c"))  # noqa: S704  escaped here

    def _in_other_language(self) -> str:
        other = "en" if self.lang == "vi" else "vi"
        return f"?{self.request.url.include_query_params(lang=other).query}"


def page_of(request: Request) -> Page:
    house = context_of(request)
    asked = as_lang(request.query_params.get("lang")) or as_lang(request.cookies.get("lang"))
    web = cast("WebContext", request.app.state.web)
    return Page(request, house, web, asked or web.lang, house.now_ms())


ThisPage = Annotated[Page, Depends(page_of)]


def _static_urls() -> Callable[[str], str]:
    """A changed file gets another address, so that no browser mixes old scripts with new pages."""
    digests: Mapping[str, str] = {
        path.relative_to(STATIC).as_posix(): _digest(path.relative_to(STATIC).as_posix())
        for path in STATIC.rglob("*")
        if path.is_file()
    }
    return lambda name: f"/static/{name}?v={digests[name]}"


def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
