"""Reads a YAML file into typed structs; a mistake is answered with file, line, key, value and what would be right.

YAML is read with the rules of version 1.2 (core schema): only `true` and `false` are booleans, `12:30` and `off` stay
text, dates stay text, a key may stand only once. The types are msgspec structs with `forbid_unknown_fields=True`.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

T = TypeVar("T")

_MAX_BYTES = 4 * 1024 * 1024  # no settings file of ours comes near; a mistaken path to a database does


class ConfigError(Exception):
    """A settings file that cannot be taken. Trying again helps only after the file was changed.

    Attributes: `file`, `line` (1-based, None when unknown), `key` (`buses[0].port`, empty for the whole file),
    `problem` (what is wrong, with the value found), `hint` (what would be right, may be empty).
    """

    def __init__(
        self, file: Path | str, problem: str, *, key: str = "", hint: str = "", line: int | None = None
    ) -> None:
        self.file, self.key, self.problem, self.hint, self.line = str(file), key, problem, hint, line
        place = f"{file}:{line}" if line else str(file)
        super().__init__(f"{place}: " + (f"{key}: " if key else "") + problem + (f"; {hint}" if hint else ""))


def load(path: Path, kind: type[T]) -> T:
    """Read `path` into `kind`. Raises ConfigError for a missing file, bad YAML, unknown keys and wrong values."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigError(path, "no such file", hint="check the path") from error
    except OSError as error:
        raise ConfigError(path, f"cannot be read: {error.strerror}") from error
    if len(text) > _MAX_BYTES:
        raise ConfigError(path, f"is larger than {_MAX_BYTES // 1024} KiB", hint="is this the right file?")
    return parse(text, kind, name=path)


def parse(text: str | bytes, kind: type[T], name: Path | str = "<text>") -> T:
    """As `load`, from text; `name` stands for the file in errors."""
    root = _compose(text, name)
    plain = _Loader("").construct_document(root) if root is not None else {}
    try:
        return msgspec.convert(plain, kind, strict=True)
    except msgspec.ValidationError as error:
        raise _explain(str(error), plain, root, kind, name) from error


class _Loader(yaml.SafeLoader):
    """SafeLoader with YAML 1.2's idea of what a scalar is, and unique keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  yaml's own shape

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int):
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} must be text or a whole number", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key `{key}` stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", "-+0123456789"),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        "-+0123456789.",
    ),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN\0"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))
_Loader.yaml_implicit_resolvers.setdefault("", []).append(("tag:yaml.org,2002:null", re.compile(r"^$")))


def _construct_int(_loader: _Loader, node: yaml.ScalarNode) -> int:
    text = node.value.lower().lstrip("+")
    return int(text, 0) if text.lstrip("-").startswith(("0x", "0o")) else int(text)


_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)


def _compose(text: str | bytes, name: Path | str) -> Any:
    try:
        root = yaml.compose(text, _Loader)
        if root is not None:
            _Loader("").construct_document(root)  # a doubled key or an unknown tag shows here, with its line
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise ConfigError(name, error.problem or "is not YAML", line=mark.line + 1 if mark else None) from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ConfigError(name, f"is not YAML: {error}") from error
    return root


_AT = re.compile(r"^(?P<problem>.*?)(?: - at `(?P<path>\$.*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `(?P<field>.*)`")
_MISSING = re.compile(r"missing required field `(?P<field>.*)`")


def _explain(message: str, plain: Any, root: Any, kind: Any, name: Path | str) -> ConfigError:
    """Turn msgspec's words into ours: key path, value found, what would be right."""
    match = _AT.match(message)
    problem, path = (match["problem"], match["path"] or "$") if match else (message, "$")
    steps = [int(step[1:-1]) if step.startswith("[") else step for step in _steps(path)]
    value, node, fields = _follow(plain, root, kind, steps)
    if unknown := _UNKNOWN.search(problem):
        return _unknown_key(unknown["field"], steps, node, fields, name)
    key = _key(steps)
    line = node.start_mark.line + 1 if node is not None else None
    if missing := _MISSING.search(problem):
        return ConfigError(name, f"key `{missing['field']}` is missing", key=key, line=line)
    return ConfigError(name, f"{value!r} is not right", key=key, line=line, hint=problem[:1].lower() + problem[1:])


def _unknown_key(field: str, steps: list[Any], node: Any, fields: list[str], name: Path | str) -> ConfigError:
    near = difflib.get_close_matches(field, fields, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(sorted(fields))}"
    line = next(
        (k.start_mark.line + 1 for k, _ in getattr(node, "value", []) if getattr(k, "value", None) == field),
        None,
    )
    return ConfigError(name, "unknown key", key=_key([*steps, field]), hint=hint, line=line)


def _steps(path: str) -> list[str]:
    return re.findall(r"\[\d+\]|\[\.\.\.\]|[^.\[\]$]+", path.replace("[...]", ""))


def _key(steps: list[Any]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


def _follow(value: Any, node: Any, kind: Any, steps: list[Any]) -> tuple[Any, Any, list[str]]:
    """Walk value, YAML node and type side by side; the last gives the keys that are known at that place."""
    info: Any = msgspec.inspect.type_info(kind)
    for step in steps:
        value = _child(value, step)
        node = _child_node(node, step)
        info = _child_type(info, step)
    return value, node, _field_names(info, value)


def _child(value: Any, step: Any) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _child_node(node: Any, step: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        return next((child for key, child in node.value if key.value == str(step)), node)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step]
    return node


def _child_type(info: Any, step: Any) -> Any:
    for option in getattr(info, "types", [info]):  # a union, or the type itself
        if isinstance(option, msgspec.inspect.StructType):
            for field in option.fields:
                if field.encode_name == step:
                    return field.type
        if isinstance(step, int) and hasattr(option, "item_type"):
            return option.item_type
        if isinstance(option, msgspec.inspect.DictType):
            return option.value_type
    return None


def _field_names(info: Any, value: Any) -> list[str]:
    """The keys a struct knows; in a union of tagged structs those of the one the value names."""
    found: list[str] = []
    for option in getattr(info, "types", [info]):
        if not isinstance(option, msgspec.inspect.StructType):
            continue
        names = [field.encode_name for field in option.fields]
        if option.tag_field is not None:
            if isinstance(value, dict) and value.get(option.tag_field) == option.tag:
                return [option.tag_field, *names]
            names.append(option.tag_field)
        found += names
    return found
