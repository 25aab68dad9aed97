"""What shows whether a refusal is about the apiKey or about one learner's token."""

from __future__ import annotations

from pointsman.delivery.key_evidence import KeyEvidence


def test_a_request_that_was_taken_later_shows_that_the_key_is_good() -> None:
    key = KeyEvidence()
    assert not key.has_worked
    key.taken(10)
    assert key.is_good_since(10)
    assert not key.is_good_since(10.1)


def test_a_probe_that_is_refused_while_the_key_works_is_useless_from_then_on() -> None:
    key = KeyEvidence()
    key.taken(10)
    key.probe_refused(11)
    assert key.may_be_the_token
    key.taken(12)
    assert key.probe_is_useless


def test_a_key_that_works_long_after_a_refused_probe_was_changed() -> None:
    key = KeyEvidence()
    key.taken(10)
    key.probe_refused(11)
    key.taken(60)
    assert not key.probe_is_useless


def test_a_key_that_never_worked_before_a_refused_probe_was_bad() -> None:
    key = KeyEvidence()
    key.probe_refused(11)
    assert not key.may_be_the_token
    key.taken(12)
    assert not key.probe_is_useless


def test_a_probe_that_was_taken_once_is_believed() -> None:
    key = KeyEvidence()
    key.taken(9)
    key.probe_taken(10)
    key.probe_refused(20)
    key.taken(21)
    assert not key.may_be_the_token
    assert not key.probe_is_useless
