"""A profile is taken as it stands, or refused with the key, the value and what would be right."""

import re

import pytest

from edge.profiles.profile import find_profile, load_profile, parse_profile, profile_files, profiles_dir
from ground.configfile import ConfigError

GOOD = """\
profile_version: 1
meta:
  id: acme-th1
  vendor: Acme
  model: TH-1
  class: temperature
  status: doc_only
  sources: [{id: man, kind: manual, ref: "Acme TH-1 manual p12"}]
link: {transport: modbus_rtu, unit: {default: 1, min: 1, max: 247}, max_read_registers: 4, functions: {read: [3], write: [6]}}
points:
  - key: temperature
    table: holding
    address: 0
    type: s16
    scale: "0.1"
    unit: degC
    range: {min: -60, max: 90}
    invalid: [{raw: 0x8000, reason: probe_open}]
    quality_from: [{point: status, mask: 1, equals: 1, quality: bad, reason: probe_error}]
    source: man
  - {key: status, table: holding, address: 1, type: u16, flags: {door: {bit: 4, active: 1}}, source: man}
  - {key: energy, table: holding, address: 2, type: u32, word_order: big, source: man}
setup:
  - {key: address, title: {en: address}, table: holding, address: 9, type: u16, effect: reconnect}
alarms: [{point: status.door, key: door_open, severity: warning}]
tests: [{request: "", response: "", expect: {}, origin: computed}]
"""


def refused(old: str, new: str) -> str:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        parse_profile(GOOD.replace(old, new, 1), "acme-th1.yaml")
    return str(caught.value)


def test_a_good_profile_is_taken():
    assert parse_profile(GOOD).points[0].key == "temperature"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("vendor: Acme", "vendour: Acme", r"meta.vendour: unknown key; did you mean `vendor`\?"),
        ("class: temperature", "class: thermometer", r"meta.class: 'thermometer' is not right"),
        ("id: acme-th1", "id: Acme TH1", r"meta.id: 'Acme TH1' is not right"),
        ('sources: [{id: man, kind: manual, ref: "Acme TH-1 manual p12"}]', "sources: []", "no source given"),
        ("    source: man", "    source: mann", r"points\[0\].source: 'mann' is not a source here; did you mean `man`"),
        ("    source: man\n", "", "no source given; name one of meta.sources, or say `status: draft`"),
        ("default: 1,", "default: 0,", "default 0 is outside 1 to 247"),
        ("type: s16", "type: int16", r"points\[0\].type: 'int16' is not a type; one of bool, u8, s8"),
        ("type: s16", "type: ''", r"points\[0\].type"),
        ("type: u32, word_order: big", "type: u32", r"points\[2\].word_order: missing"),
        ("type: s16", "type: s16\n    word_order: big", "'big' for s16; only above 16 bits"),
        ("key: status, table: holding", "key: status, table: input", "needs function 4"),
        ("key: status, table: holding", "key: status, table: coil", "'u16' in a table of bits"),
        ('scale: "0.1"', "scale: 0.1", r"points\[0\].scale: 0.1 is not right; expected `str"),
        ('scale: "0.1"', "scale: a tenth", r"points\[0\].scale: 'a tenth' is not right"),
        ('scale: "0.1"', 'scale: "0"', r"points\[0\].scale: is zero"),
        ('scale: "0.1"', 'scale: "0.1"\n    scale_from: {point: status, map: {0: "1"}}', "stands beside scale"),
        ("    range: {min: -60, max: 90}\n", "", "a temperature has engineering limits"),
        ("min: -60, max: 90", "min: 90, max: -60", "min 90 is above max -60"),
        ("{raw: 0x8000, reason: probe_open}", "{nan: true, reason: probe_open}", "only floats can be NaN"),
        ("raw: 0x8000", "raw: [5, 1]", "upside down"),
        ("{raw: 0x8000, reason: probe_open}", "{reason: probe_open}", "says neither raw nor nan"),
        ("point: status, mask", "point: state, mask", "'state' is not a point here; did you mean `status`"),
        ("address: 1, type: u16,", "address: 1, type: u16, period: slow,", "'status' is read more rarely"),
        ("{bit: 4, active: 1}", "{bit: 4}", r"points\[1\].flags.door.active: missing"),
        ("{bit: 4, active: 1}", "{bit: 16, active: 1}", "outside the 16 bits"),
        ("{bit: 4, active: 1}", "{active: 1}", "needs either bit or bits"),
        ("address: 2, type: u32", "address: 65535, type: u32", "ends beyond 65535"),
        ("key: energy", "key: status", "'status' stands twice"),
        ("setup:", "blocks: [{table: holding, address: 0, count: 3}]\nsetup:", "cuts point 'energy' in two"),
        ("setup:", "blocks: [{table: holding, address: 0, count: 9}]\nsetup:", "9 is more than the 4 that link allows"),
        ("effect: reconnect", "effect: none", "'none' for a setting of the line"),
        ("effect: reconnect", "effect: reconnect, function: 16", "16 is not in link.functions.write"),
        ("point: status.door", "point: status.dor", "did you mean `status.door`"),
        ('tests: [{request: "", response: "", expect: {}, origin: computed}]', "", "no golden frame"),
        ("status: doc_only", "status: field_proven", "without a captured frame"),
        ("transport: modbus_rtu", "transport: serial", "driver: missing"),
        ("key: energy, table", "key: energy, access: rw, table", r"points\[2\].write: missing"),
        ("profile_version: 1", "profile_version: 2", "profile_version: 2 is not right"),
    ],
)
def test_a_mistake_is_refused_and_explained(old, new, said):
    assert re.search(said, refused(old, new))


def test_points_that_lean_on_each_other_in_a_circle_are_refused():
    circle = refused(
        "type: u16, flags",
        "type: u16, quality_from: [{point: temperature, equals: 0, quality: bad}], flags",
    )
    assert "refer to each other" in circle


def test_an_atomic_group_that_needs_two_reads_is_refused():
    text = GOOD.replace("type: u16, flags", "type: u16, atomic_group: a, flags").replace(
        "address: 2, type: u32", "address: 20, atomic_group: a, type: u32"
    )
    with pytest.raises(ConfigError, match="atomic_group 'a' needs 2 reads"):
        parse_profile(text)


def test_the_id_is_the_name_of_the_file(tmp_path):
    (tmp_path / "other.yaml").write_text(GOOD)
    with pytest.raises(ConfigError, match="expected `other`"):
        load_profile(tmp_path / "other.yaml")


def test_profiles_are_found_by_id_wherever_they_lie():
    assert find_profile("generic-xy-md02").is_relative_to(profiles_dir())
    with pytest.raises(KeyError) as caught:
        find_profile("generic-xy-md2")
    assert "generic-xy-md02" in caught.value.args[1]
    assert len(profile_files()) == len(list(profiles_dir().rglob("*.yaml")))
