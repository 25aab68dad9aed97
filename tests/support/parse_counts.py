"""How often bodies are parsed as JSON, and statements validated, while a block runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from pointsman.statements import STATEMENT


@dataclass
class ParseCounts:
    """`validations` counts statements."""

    #: input and result of each parse
    parses: list[tuple[bytes, Any]] = field(default_factory=list)
    validations: int = 0

    def of_statements(self) -> int:
        """Parses whose result is a statement, or an array of them."""
        return sum(_is_statements(result) for _, result in self.parses)

    def of_body(self, body: bytes) -> int:
        """Parses of this very body."""
        return sum(text.strip() == body.strip() for text, _ in self.parses)


@contextmanager
def counted_parses() -> Iterator[ParseCounts]:
    """Counts in every thread of this process, whoever parses."""
    counts = ParseCounts()
    loads, json_loads, validator = orjson.loads, json.loads, STATEMENT.validator

    def count_orjson(text: Any) -> Any:
        result = loads(text)
        counts.parses.append((_as_bytes(text), result))
        return result

    def count_json(text: Any, **options: Any) -> Any:
        result = json_loads(text, **options)
        counts.parses.append((_as_bytes(text), result))
        return result

    def count_validation(value: Any, **options: Any) -> Any:
        counts.validations += 1
        return validator.validate_python(value, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orjson, "loads", count_orjson)
        patch.setattr(json, "loads", count_json)
        patch.setattr(STATEMENT, "validator", SimpleNamespace(validate_python=count_validation))
        yield counts


def _as_bytes(text: Any) -> bytes:
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)


def _is_statements(value: Any) -> bool:
    statements = value if isinstance(value, list) else [value]
    return bool(statements) and all(
        isinstance(one, dict) and {"actor", "verb", "object"} <= one.keys() for one in statements
    )
