"""Templates: which activity ids they take, what they read out, and how mistakes are told."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.mapping import Template

#: any text that UTF-8 can carry
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("template", "uri", "values"),
    [
        ("https://c.example.com/{topic}", "https://c.example.com/t1", {"topic": "t1"}),
        ("https://c.example.com/{c}/{t}", "https://c.example.com/a/b", {"c": "a", "t": "b"}),
        ("{course}-{topic}", "yard-signals", {"course": "yard", "topic": "signals"}),
        ("urn:lesson:{n}:end", "urn:lesson:7:end", {"n": "7"}),
        ("https://c.example.com/?id={id}#top", "https://c.example.com/?id=9#top", {"id": "9"}),
        ("https://c.example.com/fixed", "https://c.example.com/fixed", {}),
        ("https://c.example.com/{t}", "https://c.example.com/a%20b", {"t": "a b"}),
        ("https://c.example.com/{t}", "https://c.example.com/a%2Fb", {"t": "a/b"}),
        ("https://c.example.com/{t}", "https://c.example.com/gr%C3%BCn", {"t": "grün"}),
        ("https://c.example.com/{t}", "https://c.example.com/grün", {"t": "grün"}),
        ("https://c.example.com/{t}", "https://c.example.com/a+b", {"t": "a+b"}),
        ("https://c.example.com/{t}", "https://c.example.com/100%", {"t": "100%"}),
        ("{_a1}", "x", {"_a1": "x"}),
    ],
)
def test_an_activity_that_fits_gives_its_variables_decoded(
    template: str, uri: str, values: dict[str, str]
) -> None:
    assert Template(template).match(uri) == values


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        ("https://c.example.com/{t}", "https://c.example.com/"),
        ("https://c.example.com/{t}", "https://c.example.com/a/b"),
        ("https://c.example.com/{t}", "https://c.example.com/a?b"),
        ("https://c.example.com/{t}", "https://c.example.com/a#b"),
        ("https://c.example.com/{t}", "https://c.example.com/a/"),
        ("https://c.example.com/{t}", "https://c.example.com/a\n/b"),
        ("https://c.example.com/{t}", "http://c.example.com/a"),
        ("https://c.example.com/{t}", "https://C.example.com/a"),
        ("https://c.example.com/{t}", "before https://c.example.com/a"),
        ("https://c.example.com/{t}", "https://cXexample.com/a"),
        ("https://c.example.com/a+b/{t}", "https://c.example.com/aab/t"),
        ("https://c.example.com/fixed", "https://c.example.com/fixed\n"),
        ("{a}-{b}", "without a dash between slashes/-/"),
    ],
)
def test_an_activity_that_does_not_fit_wholly_is_left_alone(template: str, uri: str) -> None:
    assert Template(template).match(uri) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("https://c.example.com/{t", "has a '{' without its partner"),
        ("https://c.example.com/t}", "has a '}' without its partner"),
        ("{a{b}}", "has a '{' without its partner"),
        ("https://c.example.com/{}", "{} is not a plain variable"),
        ("https://c.example.com/{+path}", "{+path} is not a plain variable"),
        ("https://c.example.com/{a,b}", "{a,b} is not a plain variable"),
        ("https://c.example.com/{a:3}", "{a:3} is not a plain variable"),
        ("https://c.example.com/{a*}", "{a*} is not a plain variable"),
        ("https://c.example.com/{1st}", "{1st} is not a plain variable"),
        ("https://c.example.com/{a\n}", "is not a plain variable"),
        ("https://c.example.com/{grün}", "{grün} is not a plain variable"),
        ("https://c.example.com/{t}/{t}", "names {t} twice"),
        ("https://c.example.com/{a}{b}", "{a}{b} are side by side"),
    ],
)
def test_a_template_that_is_no_level_1_template_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        Template(text)


def test_a_refusal_shows_the_template_it_is_about() -> None:
    with pytest.raises(ValueError, match=re.escape("'https://c.example.com/{+a}'")):
        Template("https://c.example.com/{+a}")


def test_a_template_knows_its_text_and_its_variables_in_order() -> None:
    template = Template("{b}/{a}")
    assert (str(template), template.variables) == ("{b}/{a}", ("b", "a"))
    assert Template("").variables == ()


def test_ids_are_filled_in_as_they_are_and_uris_are_encoded() -> None:
    template = Template("https://c.example.com/{t}")
    assert template.fill({"t": "a b/ü"}) == "https://c.example.com/a b/ü"
    assert template.expand({"t": "a b/ü"}) == "https://c.example.com/a%20b%2F%C3%BC"


def test_values_that_a_template_does_not_name_are_ignored_and_missing_ones_are_not() -> None:
    assert Template("path-{course}").fill({"course": "yard", "topic": "t"}) == "path-yard"
    with pytest.raises(KeyError, match="course"):
        Template("path-{course}").fill({"topic": "t"})


@settings(max_examples=150)
@given(course=TEXT, topic=TEXT)
def test_what_is_expanded_is_read_back_whatever_the_values_hold(course: str, topic: str) -> None:
    template = Template("https://c.example.com/{course}/units/{topic}?v=1")
    values = {"course": course, "topic": topic}
    assert template.match(template.expand(values)) == values


@settings(max_examples=150)
@given(st.text("ab{}/-_+? ", max_size=14))
def test_any_text_is_refused_or_is_a_template_that_takes_what_it_is_filled_to(text: str) -> None:
    try:
        template = Template(text)
    except ValueError:
        return
    filled = template.fill(dict.fromkeys(template.variables, "x"))
    assert template.match(filled) is not None


def test_an_id_made_to_be_slow_is_refused_as_fast_as_any_other() -> None:
    template = Template("https://c.example.com/{course}-{unit}-{topic}")
    begun = time.process_time()
    assert template.match("https://c.example.com/" + "-" * 600 + "/") is None
    assert time.process_time() - begun < 0.05
