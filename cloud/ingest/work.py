"""One transaction under way."""

from typing import NamedTuple

from sqlalchemy import Connection

from cloud.ingest.book import Book
from cloud.ingest.outcome import Outcome


class Work(NamedTuple):
    """Where it writes, what is known already, and what it has done so far: the three that always go together."""

    connection: Connection
    book: Book
    outcome: Outcome
