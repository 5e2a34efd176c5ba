import re

import pytest

from cloud.web.extract import extract
from cloud.web.words import LANGS, load_words

PLACEHOLDER = re.compile(r"\{(\w+)\}")


def texts() -> dict[str, set[str]]:
    return {
        (message.id if isinstance(message.id, str) else message.id[0]): {path for path, _ in message.locations}
        for message in extract()
        if message.id
    }


@pytest.mark.parametrize("lang", LANGS)
def test_every_text_in_use_has_words(lang):
    words = load_words(lang)
    missing = [text for text in texts() if not all(words.forms.get(text, ("",)))]
    assert not missing, "run `python -m cloud.web.extract` and fill in the catalogue"


@pytest.mark.parametrize("lang", LANGS)
def test_no_catalogue_keeps_words_that_nothing_uses(lang):
    assert set(load_words(lang).forms) == set(texts())


@pytest.mark.parametrize("lang", LANGS)
def test_words_keep_the_facts_of_the_text(lang):
    for text, forms in load_words(lang).forms.items():
        for form in forms:
            assert set(PLACEHOLDER.findall(form)) == set(PLACEHOLDER.findall(text)), text


@pytest.mark.parametrize("lang", LANGS)
def test_the_browser_gets_exactly_the_texts_of_its_scripts(lang):
    used = {text for text, files in texts().items() if any(file.endswith(".js") for file in files)}
    assert set(load_words(lang).for_browser) == used


def test_a_number_decides_between_one_and_many():
    assert load_words("en").plural("{n} lot", "{n} lots", 1) == "1 lot"
    assert load_words("en").plural("{n} lot", "{n} lots", 3) == "3 lots"
    assert load_words("vi").plural("{n} lot", "{n} lots", 3) == "3 lô"
