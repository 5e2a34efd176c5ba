"""Named queries: SQL lives in `.sql` files beside the code that owns it, each with a name and one sentence.

-- name: insert_lot
-- A lot enters the books; the same lot again changes nothing.
INSERT INTO lot ...
"""

import re
from importlib.resources import files

from sqlalchemy import TextClause, text

from cloud.errors import QueryFileError

_HEAD = re.compile(r"^-- name: *(\S+) *$", re.MULTILINE)


class Queries:
    """One attribute for each query of a file."""

    def __init__(self, source: str, statements: dict[str, str]) -> None:
        self._source = source
        self._clauses = {name: text(sql) for name, sql in statements.items()}

    def __getattr__(self, name: str) -> TextClause:
        try:
            return self._clauses[name]
        except KeyError:
            raise AttributeError(f"{self._source} has no query named {name!r}") from None

    def names(self) -> list[str]:
        return list(self._clauses)


def load_queries(package: str, name: str = "queries.sql") -> Queries:
    source = f"{package}/{name}"
    return Queries(source, parse_queries(files(package).joinpath(name).read_text("utf-8"), source))


def parse_queries(content: str, source: str) -> dict[str, str]:
    head, *rest = _HEAD.split(content)
    if _without_comments(head):
        raise QueryFileError(source, "SQL before the first '-- name:'")
    statements: dict[str, str] = {}
    for name, block in zip(rest[::2], rest[1::2], strict=True):
        if not name.isidentifier() or name.startswith("_") or name == "names":
            raise QueryFileError(source, f"{name!r} cannot be the name of a query")
        if name in statements:
            raise QueryFileError(source, f"{name!r} is there twice")
        if not block.lstrip().startswith("-- "):
            raise QueryFileError(source, f"{name!r} lacks its sentence")
        statement = _without_comments(block)
        if not statement:
            raise QueryFileError(source, f"{name!r} has no SQL")
        statements[name] = statement.rstrip(";")
    return statements


def _without_comments(block: str) -> str:
    return "\n".join(line for line in block.splitlines() if not line.lstrip().startswith("--")).strip()
