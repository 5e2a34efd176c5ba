import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.trace.gs1 import completed
from cloud.trace.keys import BadKeyError, Key, canonical, key_of, parse_key

# URN, its Digital Link and what it is; the examples of TDS 2.3 and of the EPCIS 2.0 documents.
SPELLINGS = [
    ("urn:epc:id:sgtin:0614141.812345.6789", "/01/80614141123458/21/6789", "sgtin"),
    ("urn:epc:class:lgtin:4012345.012345.998877", "/01/04012345123456/10/998877", "lgtin"),
    ("urn:epc:id:sscc:0614141.1234567890", "/00/106141412345678908", "sscc"),
    ("urn:epc:id:sgln:0614141.12345.5678", "/414/0614141123452/254/5678", "sgln"),
    ("urn:epc:id:sgln:0614141.12345.0", "/414/0614141123452", "sgln"),
    ("urn:epc:id:pgln:4012345.00225", "/417/4012345002256", "pgln"),
    ("urn:epc:id:grai:0614141.12345.5678", "/8003/006141411234525678", "grai"),
    ("urn:epc:id:giai:0614141.5678", "/8004/06141415678", "giai"),
    ("urn:epc:id:gdti:4012345.11111.123", "/253/4012345111118123", "gdti"),
    ("urn:epc:id:gsrn:0614141.0000010253", "/8018/061414100000102534", "gsrn"),
    ("urn:epc:idpat:sgtin:0614141.812345.*", "/01/80614141123458", "gtin"),
    ("urn:epc:idpat:grai:0614141.12345.*", "/8003/00614141123452", "grai_type"),
    ("urn:epc:id:sgtin:0614141.712345.32a%2Fb", "/01/70614141123451/21/32a%2Fb", "sgtin"),
]


@pytest.mark.parametrize(("urn", "path", "kind"), SPELLINGS)
def test_a_key_has_one_canonical_link_and_its_urn_comes_back(urn, path, kind):
    key = parse_key(urn)
    assert (key.link, key.kind, key.urn()) == ("https://id.gs1.org" + path, kind, urn)
    assert parse_key(key.link).urn(key.prefix_digits) == urn


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("https://id.firm.vn/x/01/09521234543213/10/BM261118-07?17=261231", "/01/09521234543213/10/BM261118-07"),
        ("https://id.gs1.org/01/09521234543213/10/LOT/21/4", "/01/09521234543213/21/4"),
        ("https://id.gs1.org/01/9521234543213", "/01/09521234543213"),
        ("(01)09521234543213(10)BM261118-07", "/01/09521234543213/10/BM261118-07"),
        ("http://example.org/8004/401234599999", "/8004/401234599999"),
    ],
)
def test_every_host_and_spelling_compares_by_the_same_form(text, link):
    assert canonical(text) == "https://id.gs1.org" + link


@pytest.mark.parametrize(
    "text", ["https://firm.vn/obj/crate/17", "urn:uuid:0-0", "http://a.vn/01/index.html", "urn:epc:id:gid:1.2.3"]
)
def test_a_firm_without_gs1_keys_keeps_its_own_names(text):
    assert parse_key(text) is None
    assert canonical(text) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("https://id.gs1.org/01/09521234543214/10/X", "the check digit of GTIN 09521234543214 should be 3"),
        ("https://id.firm.vn/00/095212340000000175", "the check digit of SSCC 095212340000000175 should be 4"),
        ("https://id.gs1.org/414/9521234000076", "should be 5"),
        ("urn:epc:id:sgtin:061414.812345.1", "12 digits together, not 13"),
        ("urn:epc:id:sscc:0614141.12345", "12 digits together, not 17"),
        ("urn:epc:id:nothing:0614141.1", "no EPC scheme id:nothing"),
        ("urn:epc:class:sgtin:0614141.812345.1", "no EPC scheme class:sgtin"),
        ("https://id.gs1.org/obj/1", "no GS1 key in its path"),
        ("https://id.gs1.org/01/09521234543213/10/" + "x" * 21, "1 to 20 characters"),
    ],
)
def test_a_broken_key_is_refused_with_what_would_be_right(text, reason):
    with pytest.raises(BadKeyError, match=reason):
        parse_key(text)


@given(
    st.text(string.digits, min_size=7, max_size=7),
    st.text(string.digits, min_size=6, max_size=6),
    st.text(string.ascii_letters + string.digits + "-_./%&:*'\"()", min_size=1, max_size=20),
)
def test_any_lot_number_survives_the_way_through_link_and_urn(prefix, reference, lot):
    key = key_of([("01", completed(reference[0] + prefix + reference[1:])), ("10", lot)])
    assert parse_key(key.link) == key
    assert parse_key(key.urn(7)) == Key(key.element, 7)


@given(st.text(string.digits, min_size=17, max_size=17), st.integers(0, 17), st.integers(1, 9))
def test_one_wrong_digit_never_passes(digits, place, shift):
    right = completed(digits)
    wrong = right[:place] + str((int(right[place]) + shift) % 10) + right[place + 1 :]
    parse_key(f"https://id.gs1.org/00/{right}")
    with pytest.raises(BadKeyError):
        parse_key(f"https://id.gs1.org/00/{wrong}")
