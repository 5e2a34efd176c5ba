"""Collects the texts of pages, scripts and modules: `python -m cloud.web.extract` brings the catalogues up to date."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from cloud.web.words import LANGS, Lang, catalogue_path, forms_of

WEB = Path(__file__).parent
KEYWORDS = {"_": None, "words": None, "plural": (1, 2), "N_": None}
SOURCES = (
    ("*.py", "python"),
    ("templates/**/*.html", "jinja2.ext:babel_extract"),
    ("static/js/*.js", "javascript"),
)


def extract() -> Catalog:
    """Every text in use, with the files that use it."""
    catalogue = Catalog(project="Coldlink", charset="utf-8", fuzzy=False)
    for pattern, method in SOURCES:
        for path in sorted(WEB.glob(pattern)):
            for _, text, comments, _ in extract_from_file(method, path, KEYWORDS):
                where = [(path.relative_to(WEB).as_posix(), 0)]
                catalogue.add(text, locations=where, auto_comments=comments)
    return catalogue


def renew(lang: Lang, template: Catalog) -> Catalog:
    """Keeps what is translated, adds what is new, drops what is gone; English is its own translation."""
    path = catalogue_path(lang)
    catalogue = Catalog(locale=lang, project="Coldlink", charset="utf-8", fuzzy=False)
    if path.exists():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=lang)
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    if lang == "en":
        for message in catalogue:
            if message.id:
                message.string = message.id
    return catalogue


def main() -> None:
    template = extract()
    for lang in LANGS:
        catalogue = renew(lang, template)
        path = catalogue_path(lang)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, catalogue, width=0, omit_header=False, include_lineno=False, sort_output=True)
        missing = [message.id for message in catalogue if message.id and not all(forms_of(message))]
        print(f"{lang}: {len(catalogue)} texts, {len(missing)} without words")
        for text in missing:
            print(f"  {text}")


if __name__ == "__main__":
    main()
