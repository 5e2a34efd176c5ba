"""`coldlink trace epc`, as a shell sees it."""

import io
import json

import pytest

from coldlink.__main__ import main

CRATE = "3316210B44350C40000003E9"
BLANK = "E2801160600002054E5B1A2C"


def test_an_epc_is_told_in_words(capsys):
    assert main(["trace", "epc", CRATE]) == 0
    out = capsys.readouterr().out
    assert "urn:epc:id:grai:8930001.54321.1001" in out
    assert "https://id.gs1.org/8003/089300015432181001" in out


def test_json_is_one_object_for_each_epc_and_the_exit_code_tells_of_strangers(capsys):
    assert main(["trace", "epc", "--json", CRATE, BLANK, "xyz"]) == 1
    crate, blank, damaged = map(json.loads, capsys.readouterr().out.splitlines())
    assert crate["urn"] == "urn:epc:id:grai:8930001.54321.1001"
    assert (blank["epc"], blank["error"]) == (BLANK, "unprogrammed")
    assert damaged["error"] == "bad_hex"


def test_epcs_come_from_stdin_line_by_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{CRATE}\n\n  {CRATE.lower()}  \n"))
    assert main(["trace", "epc", "--json", "-"]) == 0
    assert [json.loads(line)["scheme"] for line in capsys.readouterr().out.splitlines()] == ["grai-96", "grai-96"]


def test_the_pc_word_cuts_padding_off(capsys):
    assert main(["trace", "epc", "--pc", "3000", CRATE + "FFFF"]) == 0
    assert main(["trace", "epc", "--pc", "4000", CRATE]) == 1
    assert "128 bits" in capsys.readouterr().out


def test_a_mistaken_pc_word_is_a_wrong_question(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["trace", "epc", "--pc", "30", CRATE])
    assert stop.value.code == 2
    assert "16-bit" in capsys.readouterr().err
