"""Checks attachments: each is here or says where it is, and signatures sign their statement.

xAPI 1.0.3 Part 2 sections 2.4.11 and 2.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pointsman.domain.records import AttachedData
from pointsman.statements.statement import Attachment, Statement, SubStatement

#: the usageType of a signature (xAPI Part 2 section 2.6)
_SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"


def _attachments_with_places(statement: Statement) -> Iterator[tuple[str, Attachment]]:
    """The attachments of a statement and of one inside it, each with its place."""
    for place, attachment in enumerate(statement.attachments or ()):
        yield f"attachments[{place}]", attachment
    if type(statement.object) is SubStatement:
        for place, attachment in enumerate(statement.object.attachments or ()):
            yield f"object.attachments[{place}]", attachment


def check_attachments(
    json: dict[str, Any],
    statement: Statement,
    data: Mapping[str, AttachedData],
    used: set[str],
) -> Iterator[tuple[str, str]]:
    """(field, rule): each is here or says where it is, and signatures sign this statement."""
    for place, attachment in _attachments_with_places(statement):
        sha2 = attachment.sha2.lower()
        part = data.get(sha2)
        if part is not None:
            used.add(sha2)
        elif attachment.file_url is None:
            yield (
                f"{place}.fileUrl",
                f"is missing, and so is a part of multipart/mixed with the hash {sha2}",
            )
        if part is not None and attachment.usage_type == _SIGNATURE:
            # cryptography is loaded where there is a signature, which is seldom
            from pointsman.statements.signed_statements import broken_rule  # noqa: PLC0415 - seldom

            rule = broken_rule(json, attachment.content_type, part.content)
            if rule is not None:
                yield place, rule
