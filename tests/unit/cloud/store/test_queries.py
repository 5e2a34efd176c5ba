"""Named queries are read once and checked for the house form."""

import pytest

from cloud.errors import QueryFileError
from cloud.store.queries import Queries, parse_queries

GOOD = """
-- name: first
-- One row.
SELECT 1
-- a remark on the way
WHERE 1 = :one;

-- name: second
-- Two rows.
SELECT 2;
"""


def test_each_query_has_its_name():
    assert parse_queries(GOOD, "x.sql") == {"first": "SELECT 1\nWHERE 1 = :one", "second": "SELECT 2"}


def test_a_query_is_a_clause_by_attribute():
    queries = Queries("x.sql", parse_queries(GOOD, "x.sql"))
    assert str(queries.second) == "SELECT 2"
    assert queries.names() == ["first", "second"]


def test_an_unknown_name_says_which_file():
    with pytest.raises(AttributeError, match=r"x\.sql.*'third'"):
        _ = Queries("x.sql", {}).third


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("SELECT 1;", "before the first"),
        ("-- name: a\nSELECT 1;", "sentence"),
        ("-- name: a\n-- Nothing.\n", "no SQL"),
        ("-- name: a\n-- One.\nSELECT 1;\n-- name: a\n-- One.\nSELECT 1;", "twice"),
        ("-- name: _a\n-- One.\nSELECT 1;", "cannot be the name"),
    ],
)
def test_a_file_that_breaks_the_form_is_refused(content, why):
    with pytest.raises(QueryFileError, match=why):
        parse_queries(content, "x.sql")
