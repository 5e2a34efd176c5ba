import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from cloud.api.app import create_api
from cloud.api.context import ApiContext
from cloud.live import LiveHub
from cloud.store.engine import Store
from cloud.trace.settings import TraceSettings

sys.path.insert(0, str(Path(__file__).parents[4] / "support"))

from epcis_documents import OFFICIAL
from small_plant import NOW


@pytest.fixture
def context(store: Store) -> ApiContext:
    settings = TraceSettings(company_prefix="9521234", gln="9521234000075")
    return ApiContext(store=store, hub=LiveHub(lambda: NOW), now_ms=lambda: NOW, trace=settings)


@pytest.fixture
def api(context: ApiContext) -> Iterator[TestClient]:
    with TestClient(create_api(context)) as client:
        yield client


@pytest.fixture(scope="session")
def is_official():
    """Whether a document keeps to GS1's own schema."""
    import jsonschema

    if not OFFICIAL.exists():
        return lambda _: True
    schema = json.loads((OFFICIAL / "schema" / "EPCIS-JSON-Schema.json").read_text("utf-8"))
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())

    def check(document: object) -> bool:
        validator.validate(document)
        return True

    return check
