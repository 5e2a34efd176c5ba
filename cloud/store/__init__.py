"""Where facts are kept: engine, migrations, named queries, readings."""

from cloud.store.engine import Store, open_store
from cloud.store.queries import Queries, load_queries

__all__ = ["Queries", "Store", "load_queries", "open_store"]
