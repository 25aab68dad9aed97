"""Two spellings of one IRI are the same, and what names something else is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.iri import (
    comparable,
    mailbox,
    mailbox_address,
    same_iri,
    web_address_problem,
)


@pytest.mark.parametrize(
    ("iri", "other"),
    [
        # RFC 3986 section 6.2.2.1: case
        ("https://sso.example.com/", "HTTPS://SSO.Example.COM/"),
        ("https://c.example.com/a%3aB", "https://c.example.com/a%3AB"),
        ("mailto:a@b.example", "MAILTO:a@b.example"),
        # 6.2.2.2: escapes of unreserved characters
        ("https://c.example.com/~ana", "https://c.example.com/%7Eana"),
        ("https://c.example.com/a-b", "https://c.example.com/%61%2d%62"),
        # 6.2.2.3: dot segments, escaped too
        ("https://c.example.com/a/c", "https://c.example.com/a/./b/../c"),
        ("https://c.example.com/c", "https://c.example.com/../c"),
        ("https://c.example.com/a/", "https://c.example.com/a/b/%2E%2e"),
        # 6.2.3: an empty path, the default port, an empty one
        ("https://sso.example.com", "https://sso.example.com/"),
        ("https://sso.example.com/", "https://sso.example.com:443/"),
        ("http://sso.example.com/x", "http://sso.example.com:80/x"),
        ("https://sso.example.com/x", "https://sso.example.com:/x"),
        ("http://[::1]:80", "http://[::1]/"),
        ("https://sso.example.com:8443/x", "https://sso.example.com:08443/x"),
        ("https://sso.example.com/x", "https://sso.example.com:0443/x"),
        # RFC 3987 sections 3.1 and 5.3.2.3: what an IRI needs no escape for
        ("https://c.example.com/café/a", "https://c.example.com/caf%C3%A9/a"),
        ("https://c.example.com/?q=日本", "https://c.example.com/?q=%E6%97%A5%e6%9c%ac"),
        ("https://c.example.com/x#é", "https://c.example.com/x#%c3%a9"),
        # 5.3.3: a host in Punycode
        ("https://exämple.com/", "https://xn--exmple-cua.com/"),
        ("https://EXÄMPLE.com/", "https://ex%C3%A4mple.com/"),
        # RFC 8141 section 3.1
        ("urn:uuid:0F0B1C1E-7A54-4C0C-8F2E-5A4F9B2A1C11",) * 2,
        (
            "URN:UUID:0F0B1C1E-7A54-4C0C-8F2E-5A4F9B2A1C11",
            "urn:uuid:0f0b1c1e-7a54-4c0c-8f2e-5a4f9b2a1c11",
        ),
        ("urn:Lesson:7", "urn:lesson:7"),
    ],
)
def test_two_spellings_of_one_iri_are_the_same(iri: str, other: str) -> None:
    assert same_iri(iri, other)


@pytest.mark.parametrize(
    ("iri", "other"),
    [
        ("https://c.example.com/", "http://c.example.com/"),
        ("https://c.example.com/a", "https://c.example.com/a/"),
        ("https://c.example.com/a", "https://c.example.com/A"),
        ("https://c.example.com/a", "https://c.example.com/a?"),
        ("https://c.example.com/a", "https://c.example.com/a#"),
        ("https://c.example.com:443/", "http://c.example.com:443/"),
        ("https://c.example.com:8443/", "https://c.example.com/"),
        ("https://c.example.com/a%2Fb", "https://c.example.com/a/b"),
        ("https://c.example.com/a%3Fb", "https://c.example.com/a?b"),
        ("https://c.example.com/a%20b", "https://c.example.com/a+b"),
        ("https://c.example.com/a%2525", "https://c.example.com/a%25"),
        ("https://c.example.com/?q=%26", "https://c.example.com/?q=&"),
        ("https://c.example.com/%FF", "https://c.example.com/%C3%BF"),
        ("https://Ana@c.example.com/", "https://ana@c.example.com/"),
        # RFC 3987 section 5.3.2.2: no Unicode normalization
        ("https://c.example.com/\u00e9", "https://c.example.com/e\u0301"),
        ("https://straße.example/", "https://strasse.example/"),
        ("urn:lesson:A", "urn:lesson:a"),
        ("tag:a@b.example,2026:X", "tag:a@b.example,2026:x"),
    ],
)
def test_what_names_something_else_is_another(iri: str, other: str) -> None:
    assert not same_iri(iri, other)


def is_ucschar(character: str) -> bool:
    """What IRIs hold beside ASCII (RFC 3987 section 2.2), but for planes that nobody uses."""
    return any(
        first <= character <= last
        for first, last in [
            ("\xa0", "\ud7ff"),
            ("\uf900", "\ufdcf"),
            ("\ufdf0", "\uffef"),
            ("\U00010000", "\U0001fffd"),
            ("\U00020000", "\U0002fffd"),
            ("\U00030000", "\U0003fffd"),
            ("\U000e1000", "\U000efffd"),
        ]
    )


SEGMENT = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc", "Cf", "Co", "Cn", "Zs", "Zl", "Zp"],
        exclude_characters="<>\"{}|\\^`%/?#[]@!$&'()*+,;=:.",
    ).filter(lambda character: character < "\x7f" or is_ucschar(character)),
    min_size=1,
    max_size=6,
)


@given(st.lists(SEGMENT, max_size=4), st.booleans(), st.booleans(), st.sampled_from(["", ":443"]))
def test_any_respelling_is_the_same_iri(
    segments: list[str], shout: bool, lower: bool, port: str
) -> None:
    path = "".join(f"/{segment}" for segment in segments)
    escaped = "".join(
        character if character == "/" else f"%{byte:02x}" if lower else f"%{byte:02X}"
        for character in path
        for byte in (character.encode() if character != "/" else b"/")
    )
    host = "HTTPS://C.Example.COM" if shout else "https://c.example.com"
    iri = f"https://c.example.com{path}"
    assert same_iri(iri, f"{host}{port}{escaped}")
    assert comparable(comparable(iri)) == comparable(iri)


@given(st.text(max_size=40) | st.text("a:/?#%@[]2eE.é", max_size=20).map("https://".__add__))
def test_anything_can_be_compared(text: str) -> None:
    assert same_iri(text, text)
    assert isinstance(comparable(text), str)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("mailto:ana@example.com", "ana@example.com"),
        ("mailto:ana%2Bx@example.com", "ana+x@example.com"),
        ("mailto:ana%2bx@example.com", "ana+x@example.com"),
        ("mailto:%61na@ex%61mple.com", "ana@example.com"),
        ("mailto:ana%25x@example.com", "ana%x@example.com"),
        ("mailto:an%C3%A1@example.com", "aná@example.com"),
        # what no address may hold, and no log either, stays as it is written
        ("mailto:ana%00@example.com", "ana%00@example.com"),
        ("mailto:ana%0a@example.com", "ana%0a@example.com"),
        ("mailto:ana%20x@example.com", "ana%20x@example.com"),
        ("mailto:ana%FF@example.com", "ana%FF@example.com"),
        ("mailto:ana%@example.com", "ana%@example.com"),
    ],
)
def test_an_escape_in_a_mailbox_is_a_character_of_its_address(written: str, address: str) -> None:
    assert mailbox_address(written) == address


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20))
def test_the_mailbox_of_an_address_has_that_address(address: str) -> None:
    assert mailbox_address(mailbox(address)) == address


@pytest.mark.parametrize(
    ("url", "opens"),
    [
        ("http://192.0.2.7/", True),
        ("http://[2001:db8::1]:8080/", True),
        ("http://[::ffff:192.0.2.7]/", True),
        ("http://7.example.com/", True),
        ("http://exämple.com./", True),
        # WHATWG URL section 3.5: what ends in a number is an address
        ("http://256.1.1.1/", False),
        ("http://1.2.3.4.5/", False),
        ("http://example.42/", False),
        # and escapes are characters of the host
        ("http://exa%20mple.com/", False),
        ("http://example.com%2Fx/", False),
        ("http://example.com%00/", False),
    ],
)
def test_a_web_address_has_a_host_that_browsers_take(url: str, opens: bool) -> None:
    assert (web_address_problem(url) == "") is opens
