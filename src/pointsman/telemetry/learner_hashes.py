"""Puts a keyed hash in the place of each learner in log lines, so that a log may be shipped.

`pointsman who HASH` finds the learner. What a line says in a key of its own is known to be a
learner. In words, such as a platform's answer or an exception's text, mail addresses, SHA-1s and
accounts are known by their form, and names by having been sent lately; quoted words that might be a
name are left out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from threading import Lock
from typing import Any
from urllib.parse import unquote

from pointsman.domain.pseudonyms import Pseudonyms

#: whose value is a learner, or a recipient
_LEARNER_KEYS = ("learner", "recipient", "actor")
_MEETING = "meeting:"
#: that are ours and name nobody
_OURS = frozenset({"timestamp", "level", "logger"})
#: names that are remembered, those that were sent last
_MOST_NAMES = 5_000
#: characters; a shorter name would be found within other words
_LEAST = 3
#: not what stands before the host of an address on the web
_ADDRESS = re.compile(
    r"(?<![\w.+-])(?<!//)(?:mailto(?::|%3A))?([\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)*)", re.IGNORECASE
)
_SHA1 = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{40}(?![0-9A-Za-z])", re.IGNORECASE)
#: an account that nobody has mapped: its home page, a bar, its name
_ACCOUNT = re.compile(r"https?://[^\s|'\"]+\|[^'\"\n;,]*")
#: our own messages quote a learner after these words
_QUOTED_LEARNER = re.compile(r"\b(for|of|logging|learner|user) '([^'\n]+)'")
#: quoted words, of which a name would be more than one, or not ASCII
_QUOTED = re.compile(r"'([^'\n]{1,300})'|\"([^\"\n]{1,300})\"")
_WORD = re.compile(r"\w+")
_PLAIN_WORD = re.compile(r"[!-~]+")


class LearnerHashes:
    """A processor of structlog, for the end of the chain, when exceptions are text already.

    `know` is told what people are called in statements.
    """

    def __init__(self) -> None:
        self._pseudonyms = Pseudonyms()
        #: in the order in which they came last, each with its first word
        self._names: dict[str, str] = {}
        #: the same by that word: a line has few words, and there are many names
        self._of_word: defaultdict[str, set[str]] = defaultdict(set)
        self._lock = Lock()

    def use(self, key: bytes) -> None:
        """The installation's secret; until then every learner is called the same."""
        self._pseudonyms.use(key)

    def know(self, name: str) -> None:
        """What somebody is called in a statement. In any thread."""
        if len(name) < _LEAST:
            return
        with self._lock:
            word = self._names.pop(name, None)
            if word is None:
                first = _WORD.search(name)
                word = first[0] if first is not None else ""
                self._of_word[word].add(name)
            self._names[name] = word
            if len(self._names) > _MOST_NAMES:
                self._forget(next(iter(self._names)))

    def _forget(self, name: str) -> None:
        word = self._names.pop(name)
        self._of_word[word].discard(name)
        if not self._of_word[word]:
            del self._of_word[word]

    def __call__(self, _logger: Any, _method: str, line: Any) -> Any:
        learners = [
            str(line[key])
            for key in _LEARNER_KEYS
            if line.get(key) and not str(line[key]).startswith(_MEETING)
        ]
        return {
            key: value if key in _OURS else self._of_key(key, value, learners)
            for key, value in line.items()
        }

    def _of_key(self, key: str, value: Any, learners: list[str]) -> Any:
        if key in _LEARNER_KEYS and str(value) in learners:
            return self._pseudonyms.of(str(value))
        return self._hashed(value, learners)

    def _hashed(self, value: Any, learners: list[str]) -> Any:
        if isinstance(value, str):
            return self.text(value, learners)
        if isinstance(value, Mapping):
            return {
                self._hashed(key, learners): self._hashed(inner, learners)
                for key, inner in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self._hashed(inner, learners) for inner in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(str(value), learners)

    def text(self, text: str, learners: list[str]) -> str:
        """Words without people; `learners` are those of the line."""
        for learner in learners:
            if learner in text:
                text = text.replace(learner, self._pseudonyms.of(learner))
        text = _ACCOUNT.sub(lambda match: self._pseudonyms.of(match[0].strip()), text)
        text = _ADDRESS.sub(self._of_address, text)
        text = _SHA1.sub(lambda match: self._pseudonyms.of(match[0].lower()), text)
        text = _QUOTED_LEARNER.sub(self._of_quoted, text)
        for name in self._names_in(text):
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "…", text)
        return _QUOTED.sub(_without_name, text)

    def _names_in(self, text: str) -> list[str]:
        """Those that are known; one that has no word, as of signs alone, is looked for in each."""
        words = {"", *_WORD.findall(text)}
        with self._lock:
            names = [
                name
                for word in words & self._of_word.keys()
                for name in self._of_word[word]
                if name in text
            ]
            return sorted(names, key=list(self._names).index) if len(names) > 1 else names

    def _of_address(self, match: re.Match[str]) -> str:
        return self._pseudonyms.of(unquote(match[1]).lower())

    def _of_quoted(self, match: re.Match[str]) -> str:
        name = match[2]
        if name.startswith("learner:"):
            return match[0]
        return f"{match[1]} '{self._pseudonyms.of(name)}'"


def _without_name(match: re.Match[str]) -> str:
    words = match[1] if match[1] is not None else match[2]
    if _PLAIN_WORD.fullmatch(words):
        return match[0]
    quote = match[0][0]
    return f"{quote}…{quote}"
