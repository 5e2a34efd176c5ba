"""The cloud's settings: read into types, refused where they would open a door."""

import pytest

from cloud import config
from ground.configfile import ConfigError

KEY = "ab" * 32


def load(tmp_path, text):
    path = tmp_path / "cloud.yaml"
    path.write_text(text)
    return config.load(path)


def test_an_empty_file_is_this_machine_alone(tmp_path):
    found = load(tmp_path, "{}")
    assert (found.listen.host, found.broker.host, found.shards) == ("127.0.0.1", "127.0.0.1", ("s0",))
    assert found.database == f"sqlite:///{tmp_path.resolve()}/coldlink.db"
    assert found.listed is None


def test_everything_can_be_said(tmp_path):
    found = load(
        tmp_path,
        f"""
listen: {{host: 127.0.0.1, port: 0}}
broker: {{host: 127.0.0.1, port: 1884}}
database: postgresql://coldlink@db/coldlink
shards: [s0, s1]
enrolment: listed
gateways: [{{id: gw-01, public_key: {KEY}}}]
site: sites/plant.site.yaml
language: en
""",
    )
    assert found.listed == {"gw-01": bytes.fromhex(KEY)}
    assert found.site == str(tmp_path / "sites/plant.site.yaml")
    assert found.database == "postgresql://coldlink@db/coldlink"


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("listen: {host: 0.0.0.0}", "listen.host", "no authentication"),
        ("listen: {host: plant.example}", "listen.host", "127.0.0.1"),
        ("listen: {port: 70000}", "listen.port", "0 to 65535"),
        ("broker: {host: broker.example}", "enrolment", "listed"),
        (f"gateways: [{{id: gw-01, public_key: {KEY}}}]", "enrolment", "listed"),
        ("shards: []", "shards", "s0"),
        ("shards: [S/0]", "shards", "a-z"),
        (f"enrolment: listed\ngateways: [{{id: GW 1, public_key: {KEY}}}]", "gateways[0].id", "a-z"),
        ("enrolment: listed\ngateways: [{id: gw-01, public_key: abcd}]", "gateways[0].public_key", "64 hex"),
        ("language: fr", "language", "fr"),
        ("databse: sqlite:///x.db", "databse", "database"),
        ("enrolment: closed", "enrolment", "closed"),
    ],
)
def test_a_mistake_is_answered_with_its_key_and_what_would_be_right(tmp_path, text, key, says):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert caught.value.key.startswith(key)
    assert says in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_is_known(host):
    assert config.is_loopback(host)
