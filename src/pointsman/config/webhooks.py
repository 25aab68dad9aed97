"""Settings [[sources.webhooks]]: systems that post signed JSON, and which path holds what."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from pointsman.secret_values import FileSecret, require
from pointsman.setting_types import (
    ExistingFile,
    Names,
    RequiredStrongSecret,
    SecretFile,
    Section,
    SourceName,
    WebAddress,
    no_secret,
    valid_so_far,
)
from pointsman.statements.adapters.json_paths import Path as JsonPath
from pointsman.statements.adapters.json_paths import PathTemplate

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
#: how a secret of Standard Webhooks begins
_STANDARD_PREFIX = "whsec_"


def _path(text: str) -> str:
    JsonPath.parse(text)
    return text


def is_template(text: str) -> bool:
    """Whether it is a URI with paths in braces, and not a path itself."""
    return "{" in text or _ABSOLUTE.match(text) is not None


def _path_or_template(text: str) -> str:
    if not is_template(text):
        return _path(text)
    PathTemplate.parse(text)
    if not _ABSOLUTE.match(text):
        raise ValueError("must start with a scheme such as https:, as an activity's id does")
    return text


def _header(name: str) -> str:
    if not _HEADER.fullmatch(name):
        raise ValueError("must be the name of a header")
    return name


def standard_key(secret: str) -> bytes:
    """The key in a secret of Standard Webhooks. Raises `ValueError`, without the secret."""
    try:
        key = base64.b64decode(secret.removeprefix(_STANDARD_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError(f"must be {_STANDARD_PREFIX} and base64, as Standard Webhooks write it")
    return key


def _check_standard(secret: str) -> None:
    standard_key(secret)


JsonPathText = Annotated[str, AfterValidator(_path)]
HeaderName = Annotated[str, AfterValidator(_header)]


class SignatureSettings(Section):
    """`signature` of a webhook: HMAC-SHA256 of the body and what is sent beside it, in a header."""

    #: the header with the signature
    header: HeaderName = "X-Signature"
    #: how the signature is written
    format: Literal["hex", "base64"] = "hex"
    #: the text in front of it, such as "sha256="
    prefix: str = Field(default="", max_length=40)
    #: between the parts of the header, where it has more than one signature
    separator: str = Field(default="", max_length=1)
    #: a header with Unix seconds
    timestamp_header: HeaderName | None = None
    #: the part of `header` that begins so is the time, such as "t="
    timestamp_prefix: str | None = Field(default=None, min_length=1, max_length=40)
    #: a header with the id of the message
    id_header: HeaderName | None = None
    #: what is signed; without, `{id}.{timestamp}.{body}`, or those of them that are sent
    signed: str = ""

    @field_validator("timestamp_prefix")
    @classmethod
    def _one_timestamp(cls, prefix: str | None, info: ValidationInfo) -> str | None:
        if prefix is None:
            return None
        if info.data.get("timestamp_header") is not None:
            raise ValueError("and timestamp_header are both given; keep one of them")
        if valid_so_far(info, "separator") and not info.data["separator"]:
            raise ValueError('needs separator, such as ",": the header has the time as a part')
        if prefix == info.data.get("prefix"):
            raise ValueError("and prefix are the same; they tell the time from a signature")
        return prefix

    @field_validator("signed")
    @classmethod
    def _all_that_is_sent(cls, signed: str, info: ValidationInfo) -> str:
        if not valid_so_far(info, "timestamp_header", "timestamp_prefix", "id_header"):
            return signed
        sent = {
            "id": info.data["id_header"] is not None,
            "timestamp": info.data["timestamp_header"] is not None
            or info.data["timestamp_prefix"] is not None,
            "body": True,
        }
        if not signed:
            return ".".join(f"{{{name}}}" for name, is_sent in sent.items() if is_sent)
        for name, is_sent in sent.items():
            if signed.count(f"{{{name}}}") != is_sent:
                raise ValueError(
                    f"must hold {{{name}}} once: what is not signed, anybody can change"
                    if is_sent
                    else f"holds {{{name}}}, but no setting says where that is sent"
                )
        return signed


class WebhookSettings(Section):
    """[[sources.webhooks]]: one sender, at /webhooks/{name}."""

    #: the last part of its address, /webhooks/{name}; labels metrics and the books
    name: SourceName
    #: the webhook-id, webhook-timestamp and webhook-signature of Standard Webhooks
    standard: bool = False
    #: a file with the secret that messages are signed with
    secret_file: SecretFile = None
    #: the secret that messages are signed with
    secret: RequiredStrongSecret = Field(default_factory=no_secret)
    #: files of secrets that still open what they signed, while a sender changes to a new one
    old_secret_files: tuple[ExistingFile, ...] = ()
    #: how messages are signed, where that is not Standard Webhooks
    signature: SignatureSettings | None = None
    #: how far the time of sending may be from this clock, where it is signed
    tolerance_seconds: float = Field(default=300, gt=0, le=86_400)
    #: it has to be read before it is known who signed it
    max_body_bytes: int = Field(default=1_048_576, ge=1_024)
    #: an e-mail address, or the name of an account of `home_page`
    learner: JsonPathText
    #: the activity's id, or a URI with paths in braces
    activity: Annotated[str, AfterValidator(_path_or_template)]
    #: of the account of a learner who has no e-mail address
    home_page: WebAddress | None = None
    #: path of the progress
    progress: JsonPathText | None = None
    #: what is all of it
    progress_scale: Literal[1, 100] = 100
    #: path of what says that it is completed
    completed: JsonPathText | None = None
    #: the values there that mean completed; without: true
    completed_values: Names = ()
    #: path of what says that it is passed
    passed: JsonPathText | None = None
    #: the values there that mean passed; without: true
    passed_values: Names = ()
    #: path of the score
    score: JsonPathText | None = None
    #: the highest score: 1, or 100
    score_scale: Literal[1, 100] = 100
    #: when it happened: ISO 8601, Unix seconds or milliseconds; without, when it arrived
    time: JsonPathText | None = None
    #: the attempt
    registration: JsonPathText | None = None
    #: what is the same when a message comes again; without: webhook-id, or the body's hash
    id: JsonPathText | None = None
    #: the kind of event; a message of another kind than `event_values` changes nothing
    event: JsonPathText | None = None
    #: the kinds that are reports
    event_values: Names = Field(default=(), validate_default=True)
    #: a list, each element of which is a report; paths start in it, those with `$.` at the body
    items: JsonPathText | None = None

    @field_validator("secret")
    @classmethod
    def _standard_secret(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        standard = info.data.get("standard") and secret.get_secret_value()
        return require(secret, _check_standard) if standard else secret

    @field_validator("old_secret_files")
    @classmethod
    def _old_secrets(cls, files: tuple[Path, ...], info: ValidationInfo) -> tuple[Path, ...]:
        for path in files:
            FileSecret(path, _check_standard if info.data.get("standard") else None)
        return files

    @field_validator("signature")
    @classmethod
    def _one_scheme(
        cls, signature: SignatureSettings | None, info: ValidationInfo
    ) -> SignatureSettings | None:
        if valid_so_far(info, "standard") and info.data["standard"] == (signature is not None):
            raise ValueError(
                "and standard = true are both given; keep one of them"
                if signature is not None
                else 'is missing; give it, as { header = "X-Signature" }, or standard = true'
            )
        return signature

    @field_validator("event_values")
    @classmethod
    def _with_a_path(cls, words: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if valid_so_far(info, "event") and (info.data["event"] is None) is bool(words):
            raise ValueError(
                "is of no use without event, the path of what is compared"
                if words
                else "must name what event has in reports, such as lesson.completed"
            )
        return words

    @field_validator("completed_values", "passed_values")
    @classmethod
    def _of_a_path(cls, words: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        path = str(info.field_name).removesuffix("_values")
        if words and valid_so_far(info, path) and info.data[path] is None:
            raise ValueError(f"is of no use without {path}, the path of what is compared")
        return words

    @property
    def account_home_page(self) -> str:
        """Of learners who are no e-mail address."""
        return self.home_page or f"https://webhooks.invalid/{self.name}"

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        """What bodies may be signed with."""
        check = _check_standard if self.standard else None
        return (self.secret, *(FileSecret(path, check) for path in self.old_secret_files))

    def key(self, secret: SecretStr) -> bytes:
        """The key of one of them, of now."""
        text = secret.get_secret_value()
        return standard_key(text) if self.standard else text.encode()
