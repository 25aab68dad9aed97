"""Base class and field types of settings: secrets and their files, paths, addresses, templates.

A rule about two keys is a validator of the later one, which sees the earlier ones that were right.
So every mistake is reported at its key, all in one go, and none hides another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
)

from pointsman.domain.uri_template import Template
from pointsman.secret_strength import must_be_strong
from pointsman.secret_values import FileSecret, read_secret, require

T = TypeVar("T")

_NAME = re.compile(r"[a-z0-9_-]{1,64}")
#: sources that are there without being configured, and what of
RESERVED_NAMES = {
    "launch": "what launched players say",
    "import": "what pointsman import reads",
    "audit": "what the audit reads back",
}


class Section(BaseModel):
    """A table of the file. Unknown keys are refused, and defaults are checked like values."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True
    )


def valid_so_far(info: ValidationInfo, *keys: str) -> bool:
    """Whether all these earlier keys were right, so that a later one can be compared to them."""
    return all(key in info.data for key in keys)


def folder_of(info: ValidationInfo) -> Path:
    """Where relative paths start: the folder of the configuration file."""
    return Path((info.context or {}).get("folder", "."))


def _absolute(path: Path, info: ValidationInfo) -> Path:
    # Links are not followed here: they may be turned to another file while the program runs.
    return (folder_of(info) / path.expanduser()).absolute()


def _readable(path: Path) -> Path:
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None


def _readable_secret(path: Path | None) -> Path | None:
    if path is not None:
        read_secret(path)
    return path


def _secret(value: Any, info: ValidationInfo) -> Any:
    """A secret given as itself or by the file that `<key>_file` names; "" counts as not given."""
    key = str(info.field_name)
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    path: Path | None = info.data.get(f"{key}_file")
    if text in (None, ""):
        return None if path is None else FileSecret(path)
    if path is not None:
        raise ValueError(f"{key} and {key}_file are both given; keep one of them")
    return value


def _required_secret(value: Any, info: ValidationInfo) -> Any:
    secret = _secret(value, info)
    key = str(info.field_name)
    if secret is None:
        if valid_so_far(info, f"{key}_file"):
            raise ValueError(f"is missing; give {key}, or {key}_file with the path of a file")
        return SecretStr("")  # its file is wrong, which has been said
    return secret


def _readable_or_to_come(path: Path) -> Path:
    return _readable(path) if path.exists() or not path.parent.is_dir() else path


#: a file that may come later, in a folder that is there
FileToCome = Annotated[Path, AfterValidator(_absolute), AfterValidator(_readable_or_to_come)]
#: a file that has to be there
ExistingFile = Annotated[Path, AfterValidator(_absolute), AfterValidator(_readable)]
#: `<key>_file`, to stand before `<key>` in a section; its content is read when `<key>` is
SecretFile = Annotated[
    Annotated[Path, AfterValidator(_absolute)] | None, AfterValidator(_readable_secret)
]
#: a secret that may be absent
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_secret)]
#: a secret that may not
RequiredSecret = Annotated[SecretStr, BeforeValidator(_required_secret)]


def _strong(secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
    """Not a placeholder, now and whenever its file changes, unless the settings allow it."""
    context = info.context or {}
    if secret is None or context.get("allow_weak_secrets", True) or not secret.get_secret_value():
        return secret
    return require(secret, must_be_strong)


#: secrets that strangers may try
OptionalStrongSecret = Annotated[OptionalSecret, AfterValidator(_strong)]
RequiredStrongSecret = Annotated[RequiredSecret, AfterValidator(_strong)]


def no_secret() -> SecretStr:
    """The default of a required secret, replaced by its file's content or refused."""
    return SecretStr("")


def _split_at_commas(value: Any) -> Any:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


#: a list, or a string with commas, which is handier in the environment
Names = Annotated[
    tuple[str, ...],
    BeforeValidator(_split_at_commas, json_schema_input_type=tuple[str, ...] | str),
]


def listed(words: Iterable[str], last: str = "and") -> str:
    """In a sentence: "a, b and c"."""
    *first, final = list(words) or [""]
    return f"{', '.join(first)} {last} {final}" if first else final


def require_some(values: tuple[T, ...]) -> tuple[T, ...]:
    """A validator: at least one."""
    if not values:
        raise ValueError("must hold at least one")
    return values


def web_address(text: str) -> str:
    """A validator: an http(s) URL without a password in it. The text itself is never repeated."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("must be an http:// or https:// URL") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("must be an http:// or https:// URL with a host")
    if any(character.isspace() for character in text):
        raise ValueError("must be a URL without spaces")
    if "@" in parts.netloc:
        raise ValueError("must not carry a user or a password; secrets have settings of their own")
    return text


#: an http(s) URL
WebAddress = Annotated[str, AfterValidator(web_address)]


def _template(text: str) -> str:
    try:
        return Template(text).text
    except ValueError as error:
        # the value is shown in front already
        raise ValueError(str(error).removeprefix(repr(text)).lstrip(": ")) from None


#: a URI template of level 1 (RFC 6570 section 1.2), kept as text
TemplateText = Annotated[str, Field(min_length=1), AfterValidator(_template)]


def only_variable(variable: str, text: str) -> str:
    """A validator: a template that has this one variable."""
    if Template(text).variables != (variable,):
        raise ValueError(f"must contain {{{variable}}} once and no other variable")
    return text


def _source_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("must be 1-64 characters of a-z, 0-9, _ and -: it labels metrics")
    if name in RESERVED_NAMES:
        raise ValueError(f"is the name of {RESERVED_NAMES[name]}; give it another one")
    return name


#: the name of a source, which labels metrics and the books
SourceName = Annotated[str, AfterValidator(_source_name)]


def repeated(names: Iterable[str]) -> str | None:
    """The first name that comes twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
