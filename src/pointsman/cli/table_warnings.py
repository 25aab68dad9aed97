"""Warnings about the files that the configuration names, for `pointsman check`: keys and entries.

What a file holds is never shown, for it is secrets; keys are.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from pointsman.config import Settings
from pointsman.domain.iri import is_mailbox
from pointsman.domain.uri_template import Template
from pointsman.platforms.tokens.file import read_token_table
from pointsman.platforms.tokens.learner_table import learner_name, unmatched_keys
from pointsman.platforms.tokens.login import read_password_table
from pointsman.text_files import decode_text

#: what reads a table: its keys, and the entries that can't be used
ReadTable = Callable[[bytes], tuple[Iterable[str], Mapping[str, str]]]


def table_warnings(settings: Settings) -> Iterator[str]:
    """A line for each thing to look at again, the setting, the file and the line in front."""
    tokens = settings.learners.tokens
    if tokens.inline is not None:
        for key, problem in _unmatched(tokens.inline, settings).items():
            yield f"learners.tokens.inline: the key {key!a} can never match: it {problem}."
    if tokens.file is not None and tokens.file.exists():  # config_warnings names a missing one
        yield from _file("learners.tokens.file", tokens.file, _token_table, settings)
    if tokens.login is not None:
        path = tokens.login.passwords_file
        yield from _file("learners.tokens.login", path, _password_table, settings)


def _file(setting: str, path: Path, read: ReadTable, settings: Settings) -> Iterator[str]:
    try:
        content = path.read_bytes()
        keys, unusable = read(content)
        text = decode_text(content, "it")
    except OSError as error:
        yield f"{setting}: {path} can't be read: {error.strerror}."
        return
    except ValueError as error:
        yield f"{setting}: {path}: {error}."
        return
    for key in _keys_written_twice(text):
        yield (
            f"{setting}: {path}{_line(text, key)}: the key {key!a} is written more than once, and "
            "only the last one counts."
        )
    for key, problem in unusable.items():
        yield f"{setting}: {path}{_line(text, key)}: the entry of {key!a} {problem}."
    for key, problem in _unmatched(keys, settings).items():
        where = f"{path}{_line(text, key)}"
        yield f"{setting}: {where}: the key {key!a} can never match: it {problem}."


def _token_table(content: bytes) -> tuple[Iterable[str], Mapping[str, str]]:
    entries, unusable = read_token_table(content)
    return [*entries, *unusable], unusable


def _password_table(content: bytes) -> tuple[Iterable[str], Mapping[str, str]]:
    return read_password_table(content), {}


def _unmatched(keys: Iterable[str], settings: Settings) -> dict[str, str]:
    keys = list(keys)
    templates = [Template(account.learner) for account in settings.learners.accounts]

    def is_known(key: str) -> bool:
        name = learner_name(key)
        if settings.launches is not None and not is_mailbox(name):
            return bool(name)  # whoever launches names learners as they like
        return any(template.match(name) is not None for template in templates)

    return unmatched_keys(keys, known=filter(is_known, keys))


def _keys_written_twice(text: str) -> list[str]:
    """Of the outermost object; a JSON reader keeps the last one of each and says nothing."""
    outermost: list[str] = []

    def pairs(members: list[tuple[str, object]]) -> None:
        outermost[:] = [key for key, _ in members]  # inner objects end before outer ones

    json.loads(text, object_pairs_hook=pairs)
    return [key for key, times in Counter(outermost).items() if times > 1]


def _line(text: str, key: str) -> str:
    """`, line N`, where the key stands as JSON is usually written."""
    for written in (json.dumps(key, ensure_ascii=False), json.dumps(key)):
        place = text.find(written)
        if place >= 0:
            return f", line {text.count(chr(10), 0, place) + 1}"
    return ""
