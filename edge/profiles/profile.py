"""A device model as data: what to ask it, what its words mean, which values are not values.

    firmware-config/profiles/<id>.yaml -> Profile -> blocks (what to read) -> decode (what it means)

The types are in profile_types.py, what they cannot say in profile_rules.py; this module finds and reads files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from edge.profiles.profile_rules import problems
from edge.profiles.profile_types import Profile
from ground.configfile import ConfigError, load, parse

__all__ = ["Profile", "find_profile", "load_profile", "parse_profile", "profile_files", "profiles_dir", "schema"]


def load_profile(path: Path) -> Profile:
    """Read and check one profile file. Raises ConfigError."""
    profile = load(path, Profile)
    if profile.meta.id != path.stem:
        raise ConfigError(
            path, f"{profile.meta.id!r} is not the file's name", key="meta.id", hint=f"expected `{path.stem}`"
        )
    return _checked(profile, path)


def parse_profile(text: str | bytes, name: str = "<text>") -> Profile:
    """As `load_profile`, from text."""
    return _checked(parse(text, Profile, name), name)


def find_profile(profile_id: str, directory: Path | None = None) -> Path:
    """Where the profile with this id lies. Raises KeyError with the ids that exist."""
    profiles = profile_files(directory)
    if profile_id not in profiles:
        raise KeyError(profile_id, sorted(profiles))
    return profiles[profile_id]


def profile_files(directory: Path | None = None) -> dict[str, Path]:
    """Profile id -> file, of one directory and what lies below it."""
    return {path.stem: path for path in sorted((directory or profiles_dir()).rglob("*.yaml"))}


def profiles_dir() -> Path:
    """The profiles that come with Coldlink: inside the installed package, or in the checkout."""
    here = Path(__file__).parents[1]
    inside = here / "firmware-config" / "profiles"
    return inside if inside.is_dir() else here.parent / "firmware-config" / "profiles"


def schema() -> dict[str, Any]:
    """JSON Schema of a profile file, for editors that complete and check while one types."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Profile)}


def _checked(profile: Profile, name: Path | str) -> Profile:
    for problem in problems(profile):
        raise ConfigError(name, problem.text, key=problem.key, hint=problem.hint)
    return profile
