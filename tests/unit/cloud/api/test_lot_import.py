"""Lots from a table: all or nothing, faults by row and column, a dry run without a trace."""

import pytest

HEAD = "lot,gtin,name_vi,name_en,quantity_kg,created_at\n"
ROW = "BM261120-03,9521234543213,Đùi góc tư,Leg quarters,1248.6,2026-11-20T02:10:00Z\n"
OTHER = "BM261120-04,9521234543213,Đùi góc tư,,,2026-11-20T09:10:00+07:00\n"


def send(api, table, **query):
    return api.post("/api/v1/lots-import", params=query, content=table.encode(), headers={"content-type": "text/csv"})


def keys(api):
    return sorted(lot["key"] for lot in api.get("/api/v1/lots").json()["lots"])


def test_a_dry_run_says_what_would_happen_and_leaves_no_trace(api):
    answer = send(api, HEAD + ROW + OTHER, dry_run=True)
    assert (answer.status_code, answer.json()) == (200, {"dry_run": True, "new": 2, "known": 0})
    assert keys(api) == []


def test_a_table_is_taken_and_again_without_harm(api):
    assert send(api, "\ufeff" + HEAD + ROW).status_code == 201
    again = send(api, HEAD + ROW + OTHER)
    assert (again.status_code, again.json()) == (201, {"dry_run": False, "new": 1, "known": 1})
    assert send(api, HEAD + ROW + OTHER).status_code == 200
    assert keys(api) == ["BM261120-03", "BM261120-04"]
    lot = api.get("/api/v1/lots/BM261120-04").json()
    assert (lot["created_at"], lot["name"]["en"], lot["quantity_kg"]) == (
        "2026-11-20T02:10:00.000Z",
        "Đùi góc tư",
        None,
    )


@pytest.mark.parametrize(
    ("table", "where"),
    [
        ("lot,gtin\n", "row 0, name_vi"),
        (HEAD + ROW + ROW.replace("9521234543213", "9521234543214").replace("-03", "-05"), "row 2, gtin"),
        (HEAD + ROW.replace("1248.6", "many"), "row 1, quantity_kg"),
        (HEAD + ROW.replace("02:10:00Z", "02:10:00"), "row 1, created_at"),
        (HEAD + ROW + ROW.replace("1248.6", "7"), "row 2, lot"),
        (HEAD + ROW.replace("BM261120-03", ""), "row 1, lot"),
        (HEAD + 'x,"unclosed\n', "row 1, lot"),
    ],
)
def test_one_wrong_row_and_nothing_is_taken(api, table, where):
    answer = send(api, table)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == where
    assert keys(api) == []
