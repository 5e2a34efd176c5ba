"""The words of the pages: gettext catalogues read from their .po files when the server starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from babel.messages.catalog import Message
from babel.messages.pofile import read_po

Lang = Literal["vi", "en"]
LANGS: tuple[Lang, ...] = ("vi", "en")
DEFAULT_LANG: Lang = "vi"
LOCALE = Path(__file__).with_name("locale")


@dataclass(frozen=True, slots=True)
class Words:
    """Message id (the English text) to the forms of one language; an unknown id is a programming error."""

    lang: Lang
    forms: Mapping[str, tuple[str, ...]]
    for_browser: Mapping[str, tuple[str, ...]]

    def __call__(self, text: str, /, **facts: object) -> str:
        return self.forms[text][0].format(**facts)

    def plural(self, one: str, many: str, n: int, **facts: object) -> str:
        """`many` is for the reader of the source; its translation is the second form of `one`."""
        del many
        forms = self.forms[one]
        return forms[0 if n == 1 else -1].format(n=n, **facts)


def as_lang(text: str | None) -> Lang | None:
    return text if text in LANGS else None


def catalogue_path(lang: Lang) -> Path:
    return LOCALE / lang / "LC_MESSAGES" / "coldlink.po"


def forms_of(message: Message) -> tuple[str, ...]:
    """One form for a plain text, one for each plural form else; empty where there are no words yet."""
    string = message.string or ""
    return (string,) if isinstance(string, str) else tuple(string)


@cache
def load_words(lang: Lang) -> Words:
    with catalogue_path(lang).open("rb") as file:
        messages = [message for message in read_po(file, locale=lang) if message.id]
    forms: dict[str, tuple[str, ...]] = {}
    for_browser: dict[str, tuple[str, ...]] = {}
    for message in messages:
        text = message.id if isinstance(message.id, str) else message.id[0]
        forms[text] = forms_of(message)
        if any(path.endswith(".js") for path, _ in message.locations):
            for_browser[text] = forms[text]
    return Words(lang, forms, for_browser)
