"""The data types of xAPI, checked inside pydantic-core.

Patterns are Rust's: `$` is the very end, so a trailing newline does not slip through. A field
that may be missing is `Annotated[X | None, NOT_NULL]`: absent is None, but an explicit null is
refused, as xAPI Part 2 section 2.2 demands everywhere outside extensions.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, GetCoreSchemaHandler, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema


class _NotNull:
    """Takes the null out of an optional type, at no cost when validating."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema = handler(source)
        if schema["type"] == "nullable":
            inner: CoreSchema = schema["schema"]
            return inner
        return schema


NOT_NULL = _NotNull()


class JsonObject(BaseModel):
    """An object of xAPI: its properties and no others, no coercion of types."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        regex_engine="rust-regex",
        hide_input_in_errors=True,
    )


def _pattern(pattern: str) -> StringConstraints:
    return StringConstraints(strict=True, pattern=pattern)


#: an absolute IRI, RFC 3987: a scheme, and none of the characters that no IRI may hold
Iri = Annotated[str, _pattern(r'^[A-Za-z][A-Za-z0-9+.\-]*:[^\x00-\x20<>"{}|\\^`\x7f]+$')]
#: an address and nothing else: no header fields (RFC 6068 section 2), no path, no fragment, and
#: none that is written as an escape; no control characters either, and not a host (`mailto://`).
#: A scheme is the same in any case (RFC 3986 section 3.1)
Mailbox = Annotated[
    str,
    _pattern(
        r"^(?i:mailto):(?:[^\s@<>,;:?#%/]|%[^\s@<>,;:?#01])(?:[^\s@<>,;:?#%]|%[^\s@<>,;:?#01])*"
        r"@(?:[^\s@<>,;:?#/%]|%[89A-Fa-f][0-9A-Fa-f])+$"
    ),
]
Sha1 = Annotated[str, _pattern(r"^[0-9a-fA-F]{40}$")]
Sha2 = Annotated[
    str, _pattern(r"^[0-9a-fA-F]{56}$|^[0-9a-fA-F]{64}$|^[0-9a-fA-F]{96}$|^[0-9a-fA-F]{128}$")
]
Uuid = Annotated[
    str,
    _pattern(r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"),
]

#: hyphens of the shortest tag with a subtag that appears twice, and letters of the shortest variant
_HYPHENS, _VARIANT = 2, 4
#: tags that were looked at lately; players write few
_LATEST_TAGS = 1_024


def _has_twice(subtags: list[str]) -> bool:
    return len(set(subtags)) < len(subtags)


@lru_cache(_LATEST_TAGS)
def _no_subtag_twice(tag: str) -> str:
    """RFC 5646 section 2.2.9: no variant and no singleton appears twice; behind -x- all may."""
    if tag.count("-") < _HYPHENS:
        return tag
    subtags = f"-{tag.lower()}".partition("-x-")[0].split("-")[2:]
    singletons = [place for place, subtag in enumerate(subtags) if len(subtag) == 1]
    variants = [
        subtag for subtag in subtags[: min(singletons, default=None)] if len(subtag) >= _VARIANT
    ]
    if _has_twice(variants) or _has_twice([subtags[place] for place in singletons]):
        raise ValueError("must not have a subtag twice (RFC 5646 section 2.2.9)")
    return tag


_WEEK = "(?:0[1-9]|[1-4][0-9]|5[0-3])"
_DAY_OF_YEAR = "(?:00[1-9]|0[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-6])"
#: RFC 5646 section 2.1; languages of four letters are reserved, so there is none
LanguageTag = Annotated[
    str,
    _pattern(
        r"^(?:(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{5,8})"
        r"(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
        r"(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"
        r"(?:-[0-9A-WYZa-wyz](?:-[A-Za-z0-9]{2,8})+)*(?:-[xX](?:-[A-Za-z0-9]{1,8})+)?"
        r"|[xX](?:-[A-Za-z0-9]{1,8})+|[iI]-[A-Za-z]{3,8}|en-GB-oed|sgn-BE-(?:FR|NL)|sgn-CH-DE)$"
    ),
    AfterValidator(_no_subtag_twice),
]
_FRACTION = "(?:[.,][0-9]+)?"
#: ISO 8601 with a time of day (xAPI Part 2 section 4.5): calendar, week and ordinal dates, 24:00
#: for the end of a day, a fraction of whatever comes last; and t and z in small (RFC 3339 section
#: 5.6). An offset of -00:00 says nothing and is refused, and so are days and hours that no calendar
#: has
Timestamp = Annotated[
    str,
    _pattern(
        r"^[0-9]{4}(?:-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
        rf"|W{_WEEK}-[1-7]|{_DAY_OF_YEAR})"
        rf"[Tt](?:(?:[01][0-9]|2[0-3])(?:{_FRACTION}|:[0-5][0-9](?:{_FRACTION}"
        rf"|:(?:[0-5][0-9]|60){_FRACTION}))"
        r"|24(?::00(?::00(?:[.,]0+)?)?)?)"
        r"|(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
        rf"|W{_WEEK}[1-7]|{_DAY_OF_YEAR})"
        rf"[Tt](?:(?:[01][0-9]|2[0-3])(?:{_FRACTION}|[0-5][0-9](?:{_FRACTION}"
        rf"|(?:[0-5][0-9]|60){_FRACTION}))"
        r"|24(?:00(?:00(?:[.,]0+)?)?)?))"
        r"(?:[Zz]|\+(?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?"
        r"|-(?:0[1-9]|1[0-9]|2[0-3])(?::?[0-5][0-9])?|-00:?(?:0[1-9]|[1-5][0-9]))?$"
    ),
]
_DECIMAL = r"[0-9]+(?:[.,][0-9]+)?"
_DATE = rf"(?:{_DECIMAL}Y(?:{_DECIMAL}M)?(?:{_DECIMAL}D)?|{_DECIMAL}M(?:{_DECIMAL}D)?|{_DECIMAL}D)"
_TIME = rf"T(?:{_DECIMAL}H(?:{_DECIMAL}M)?(?:{_DECIMAL}S)?|{_DECIMAL}M(?:{_DECIMAL}S)?|{_DECIMAL}S)"
#: ISO 8601 durations (xAPI Part 2 section 4.6)
Duration = Annotated[str, _pattern(rf"^P(?:{_DECIMAL}W|{_DATE}(?:{_TIME})?|{_TIME})$")]
Version = Annotated[str, _pattern(r"^(?:1\.0(?:\.[0-9]+)?|2\.0(?:\.[0-9]+)?)$")]
Text = Annotated[str, StringConstraints(strict=True)]

LanguageMap = dict[LanguageTag, Text]
Extensions = dict[Iri, Any]

OptionalText = Annotated[Text | None, NOT_NULL]
OptionalIri = Annotated[Iri | None, NOT_NULL]
OptionalUuid = Annotated[Uuid | None, NOT_NULL]
OptionalTimestamp = Annotated[Timestamp | None, NOT_NULL]
OptionalBool = Annotated[bool | None, NOT_NULL]
OptionalNumber = Annotated[float | None, NOT_NULL]
OptionalMap = Annotated[LanguageMap | None, NOT_NULL]
OptionalExtensions = Annotated[Extensions | None, NOT_NULL]
