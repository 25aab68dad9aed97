"""Signatures of webhooks: right ones, wrong ones, old ones, and what is said of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from pointsman.sources.http.webhook_signatures import (
    STANDARD,
    SignatureRefused,
    SignatureScheme,
    WebhookVerifier,
)

SECRET, OLD, STRANGE = b"hunter2", b"hunter1", b"stranger"
NOW = 1_674_087_231.0
BODY = b'{"a": 1}'


def mac(secret: bytes, signed: bytes) -> bytes:
    return hmac.new(secret, signed, hashlib.sha256).digest()


def b64(signature: bytes) -> str:
    return base64.b64encode(signature).decode()


def accepts(
    scheme: SignatureScheme, headers: dict[str, str], body: bytes = BODY, now: float = NOW
) -> str | None:
    """The id of the message. Raises `SignatureRefused`."""
    verifier = WebhookVerifier((scheme,), lambda: (SECRET, OLD), 300)
    signed = verifier.read_headers({name.lower(): value for name, value in headers.items()})
    verifier.check(signed, body, now)
    return signed.message_id


HEX = SignatureScheme("x-signature", "hex", "sha256=")
BASE64 = SignatureScheme("x-signature", "base64")
TIMED = SignatureScheme("x-signature", timestamp_header="x-time", signed="{timestamp}.{body}")


@pytest.mark.parametrize("secret", [SECRET, OLD])
def test_a_body_signed_with_a_known_secret_is_taken(secret: bytes) -> None:
    accepts(HEX, {"x-signature": f"sha256={mac(secret, BODY).hex()}"})
    accepts(HEX, {"x-signature": f" sha256={mac(secret, BODY).hex().upper()} "})
    accepts(BASE64, {"x-signature": b64(mac(secret, BODY))})
    for body in (BODY + str(n).encode() for n in range(9)):  # some need the 63rd and 64th letter
        signature = base64.urlsafe_b64encode(mac(secret, body)).decode()
        accepts(BASE64, {"x-signature": signature}, body)
        accepts(BASE64, {"x-signature": signature.rstrip("=")}, body)
        accepts(BASE64, {"x-signature": b64(mac(secret, body)).rstrip("=")}, body)
    for time in (
        "1674087231",
        "1674087231000",
        "1674087231.25",
        "1674087231250.5",
        "2023-01-19T00:13:51Z",
        "2023-01-19T01:13:51.250+01:00",
        "2023-01-19T00:13:51",
    ):
        accepts(
            TIMED, {"x-time": time, "x-signature": mac(secret, f"{time}.".encode() + BODY).hex()}
        )


def standard(secret: bytes = SECRET, *, at: int = int(NOW), more: str = "") -> dict[str, str]:
    signature = b64(mac(secret, f"msg_1.{at}.".encode() + BODY))
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(at),
        "webhook-signature": f"{more}v1,{signature}",
    }


def test_the_example_of_standard_webhooks_is_taken() -> None:
    # the secret, message and signature that its libraries are tested with
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    verifier = WebhookVerifier(STANDARD, lambda: (key,), 300)
    signed = verifier.read_headers(
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }
    )
    verifier.check(signed, b'{"test": 2432232314}', 1_614_265_330)
    assert signed.message_id == "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_standard_webhooks_may_show_several_signatures() -> None:
    assert accepts(STANDARD[0], standard()) == "msg_1"
    assert accepts(STANDARD[0], standard(more=f"v1a,AAAA v1,{b64(b'x' * 32)} ")) == "msg_1"


@pytest.mark.parametrize(
    ("scheme", "headers", "words"),
    [
        (HEX, {}, "x-signature is missing; expected sha256={HMAC-SHA256 of {body}, in hex}"),
        (HEX, {"x-signature": ""}, "x-signature is missing"),
        (HEX, {"x-signature": mac(SECRET, BODY).hex()}, "must be sha256="),
        (HEX, {"x-signature": "sha256=xyz"}, "must be sha256="),
        (HEX, {"x-signature": "sha256=00"}, "must be sha256="),
        (HEX, {"x-signature": f"sha256={mac(STRANGE, BODY).hex()}"}, "with a known secret"),
        (HEX, {"x-signature": f"sha256={mac(SECRET, BODY + b' ').hex()}"}, "of this body"),
        (HEX, {"x-signature": "sha256=\udcff"}, "characters"),
        (BASE64, {"x-signature": mac(SECRET, BODY).hex()}, "in base64"),
        (TIMED, {"x-signature": mac(SECRET, BODY).hex()}, "x-time is missing"),
        (TIMED, {"x-signature": mac(SECRET, BODY).hex(), "x-time": "1674087231"}, "x-signature"),
        (TIMED, {"x-signature": "0" * 64, "x-time": "now"}, "x-time must be Unix seconds"),
        (TIMED, {"x-signature": "0" * 64, "x-time": "9" * 30}, "x-time must be Unix seconds"),
        (TIMED, {"x-signature": "0" * 64, "x-time": "1e9"}, "x-time must be Unix seconds"),
        (TIMED, {"x-signature": "0" * 64, "x-time": "0001-01-01T00:00:00Z"}, "known secret"),
        (STANDARD[0], standard(STRANGE), "webhook-signature"),
        (STANDARD[0], {**standard(), "webhook-id": "msg_2"}, "webhook-signature"),
        (STANDARD[0], {**standard(), "webhook-id": ""}, "webhook-id is missing"),
        (STANDARD[0], {**standard(), "webhook-id": "m" * 257}, "webhook-id is longer"),
        (STANDARD[0], {**standard(), "webhook-signature": "v1a,AAAA"}, "must be v1,"),
        (
            STANDARD[0],
            standard(at=int(NOW) - 301),
            "301 s before this clock; expected within 300 s",
        ),
        (STANDARD[0], standard(at=int(NOW) + 301), "301 s after this clock"),
    ],
)
def test_anything_else_is_refused_with_the_header_and_what_was_expected(
    scheme: SignatureScheme, headers: dict[str, str], words: str
) -> None:
    with pytest.raises(SignatureRefused) as refused:
        accepts(scheme, headers)
    said = str(refused.value)
    assert words in said
    for secret in (SECRET, OLD):
        assert secret.decode() not in said
        assert mac(secret, BODY).hex() not in said


@given(st.binary(min_size=1), st.text("abc_019", min_size=1), st.text(), st.integers(0, 2**31))
def test_what_the_published_package_signs_is_taken(
    secret: bytes, message_id: str, text: str, at: int
) -> None:
    body = text.encode("utf-8", "replace")
    signature = Webhook(secret).sign(message_id, datetime.fromtimestamp(at, UTC), body.decode())
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": signature,
    }
    verifier = WebhookVerifier(STANDARD, lambda: (SECRET, secret), 300)
    verifier.check(verifier.read_headers(headers), body, at)


@pytest.mark.parametrize("age", [-300, 0, 300])
def test_the_window_is_open_at_its_ends(age: int) -> None:
    assert accepts(STANDARD[0], standard(at=int(NOW) - age)) == "msg_1"


SVIX = {name.replace("webhook-", "svix-"): value for name, value in standard().items()}
STRIPE = SignatureScheme(
    "stripe-signature",
    prefix="v1=",
    separator=",",
    timestamp_prefix="t=",
    signed="{timestamp}.{body}",
)
SLACK = SignatureScheme(
    "x-slack-signature",
    prefix="v0=",
    timestamp_header="x-slack-request-timestamp",
    signed="v0:{timestamp}:{body}",
)
AROUND = SignatureScheme(
    "x-signature", id_header="x-id", timestamp_header="x-time", signed="<{id}|{body}|{timestamp}>"
)
TIMED_MAC = mac(SECRET, f"{NOW:.0f}.".encode() + BODY).hex()


@pytest.mark.parametrize("headers", [standard(), SVIX, {**standard(), "svix-id": "other"}])
def test_standard_webhooks_come_under_two_sets_of_names(headers: dict[str, str]) -> None:
    verifier = WebhookVerifier(STANDARD, lambda: (SECRET,), 300)
    signed = verifier.read_headers(headers)
    verifier.check(signed, BODY, NOW)
    assert signed.message_id == "msg_1"


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "the header webhook-signature or svix-signature is missing; expected v1,"),
        ({"svix-signature": SVIX["svix-signature"]}, "svix-id is missing"),
        ({**SVIX, "svix-id": "msg_2"}, "svix-signature is not one of this body"),
        ({**SVIX, "svix-timestamp": "1"}, "svix-signature is not one of this body"),
        # a name of the one set does not stand in for that of the other
        ({**standard(), "webhook-id": "", "svix-id": "msg_1"}, "webhook-id is missing"),
    ],
)
def test_headers_of_neither_set_are_refused_by_name(headers: dict[str, str], words: str) -> None:
    verifier = WebhookVerifier(STANDARD, lambda: (SECRET,), 300)
    with pytest.raises(SignatureRefused, match=re.escape(words)):
        verifier.check(verifier.read_headers(headers), BODY, NOW)


@pytest.mark.parametrize(
    ("scheme", "headers"),
    [
        (STRIPE, {"stripe-signature": f"t={NOW:.0f},v1={TIMED_MAC}"}),
        (STRIPE, {"stripe-signature": f"v0=00, v1={'0' * 64}, v1={TIMED_MAC}, t={NOW:.0f}"}),
        (
            SLACK,
            {
                "x-slack-request-timestamp": f"{NOW:.0f}",
                "x-slack-signature": "v0=" + mac(SECRET, f"v0:{NOW:.0f}:".encode() + BODY).hex(),
            },
        ),
        (
            AROUND,
            {
                "x-id": "{timestamp}",
                "x-time": f"{NOW:.0f}",
                "x-signature": mac(SECRET, b"<{timestamp}|" + BODY + f"|{NOW:.0f}>".encode()).hex(),
            },
        ),
    ],
)
def test_the_common_shapes_are_taken(scheme: SignatureScheme, headers: dict[str, str]) -> None:
    accepts(scheme, headers)
    with pytest.raises(SignatureRefused, match="is not one of this body"):
        accepts(scheme, headers, BODY + b" ")
    with pytest.raises(SignatureRefused, match="301 s before this clock"):
        accepts(scheme, headers, now=NOW + 301)


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (f"v1={TIMED_MAC}", "must have one part t={Unix seconds}, and has 0"),
        (f"t=1,t={NOW:.0f},v1={TIMED_MAC}", "must have one part t={Unix seconds}, and has 2"),
        (f"t=soon,v1={TIMED_MAC}", "t= in stripe-signature must be Unix seconds"),
        (f"t={NOW:.0f},v0={TIMED_MAC}", "must be v1={HMAC-SHA256 of {timestamp}.{body}, in hex}"),
        (f"t={NOW:.0f}" + ",v1=00" * 30 + f",v1={TIMED_MAC}", "must be v1="),
        (f"t={NOW - 1:.0f},v1={TIMED_MAC}", "is not one of this body"),
    ],
)
def test_a_header_of_parts_is_refused_with_what_it_lacks(shown: str, words: str) -> None:
    with pytest.raises(SignatureRefused, match=re.escape(words)):
        accepts(STRIPE, {"stripe-signature": shown})


def test_a_secret_is_not_in_the_words_for_its_record() -> None:
    assert "hunter2" not in repr(WebhookVerifier((HEX,), lambda: (SECRET,), 300))


@given(st.text(), st.text(), st.text())
def test_whatever_headers_say_they_are_read_or_refused(one: str, two: str, three: str) -> None:
    headers = {"webhook-id": one, "webhook-timestamp": two, "webhook-signature": three}
    with pytest.raises(SignatureRefused):
        accepts(STANDARD[0], headers)
