"""Judges whether a secret that strangers may try is a placeholder, or too easy to guess."""

from __future__ import annotations

#: guesses, as a power of ten: with 30 tries a minute from each of 1,000 addresses, 6,000 years
_ENOUGH = 14.0
#: zxcvbn takes no more
_MOST_CHARACTERS = 72
#: what placeholders and examples are made of, this product's too
_WORDS = [
    *("pointsman", "secret", "password", "passwd", "token", "bearer", "key", "apikey", "signing"),
    *("changeme", "change", "replace", "replaceme", "placeholder", "example", "sample", "your"),
    *("here", "todo", "fixme", "insert", "demo", "test", "operator", "player", "webhook", "lms"),
    *("launch", "page", "watcher", "value", "string", "xapi", "cmi5", "scorm", "cloud"),
]


def must_be_strong(secret: str) -> None:
    """Raises `ValueError` with what to do about it; nothing of the secret is repeated."""
    # not before it is needed: its lists of words take 14 MB
    from zxcvbn import zxcvbn  # noqa: PLC0415 - not before it is needed

    guesses = float(zxcvbn(secret[:_MOST_CHARACTERS], user_inputs=_WORDS)["guesses_log10"])
    if guesses < _ENOUGH:
        raise ValueError(
            f"is a placeholder or easy to guess: some 10^{max(0, guesses):.0f} tries find it, and "
            f"it takes 10^{_ENOUGH:.0f}; let `pointsman launches new-key` make one. For tests and "
            "demos there is allow_weak_secrets = true"
        )
