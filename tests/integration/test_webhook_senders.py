"""The examples on the page about webhooks take what the senders' own published libraries sign."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import slack_sdk.signature
import standardwebhooks
import stripe
import svix
from stripe import WebhookSignature

from pointsman.config import load
from pointsman.sources.http.webhook_signatures import SignatureRefused, WebhookVerifier
from pointsman.wiring.adapters import webhook_sources
from tests.support.clients import in_node
from tests.support.statement_ids import IDS
from tests.unit.test_docs_players import BASE, PAGES, snippets

AT = 1_700_000_000
BODY = '{"user": "ana@example.com", "course": "c", "lesson": "\u00e4"}'
SECRET = "whsec_d2hhdCBpcyBhcyBzZWNyZXQgYXMgaXQgaXMgbG9uZw=="


@pytest.fixture(scope="module")
def verifiers(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, WebhookVerifier]:
    """By the name of the source on the page."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "secrets").mkdir()
    for name in ("lms_webhook", "standard", "github", "stripe", "slack", "shopify", "zendesk"):
        (folder / "secrets" / name).write_text(SECRET + "\n")
    [page] = (page for page in PAGES if page.stem == "webhook")
    path: Path = folder / "pointsman.toml"
    path.write_text(BASE + "\n".join(snippets(page)))
    return {source.name: source.verifier for source in webhook_sources(load(path).sources, IDS)}


def check(verifier: WebhookVerifier, headers: Mapping[str, str], *, is_timed: bool) -> None:
    """It is taken as it is signed, and in no other way."""
    lower = {name.lower(): value for name, value in headers.items()}
    lower = {scheme_name: lower[scheme_name.lower()] for scheme_name in _names(verifier, lower)}
    request = verifier.read_headers(lower)
    verifier.check(request, BODY.encode(), AT)
    with pytest.raises(SignatureRefused, match="is not one of this body"):
        verifier.check(request, BODY.encode() + b" ", AT)
    if is_timed:
        with pytest.raises(SignatureRefused, match="before this clock"):
            verifier.check(request, BODY.encode(), AT + 1_000)


def _names(verifier: WebhookVerifier, shown: Mapping[str, str]) -> list[str]:
    """Header names as the settings spell them; a server compares them without regard to case."""
    names = [
        name
        for scheme in verifier.schemes
        for name in (scheme.header, scheme.timestamp_header, scheme.id_header)
        if name is not None
    ]
    return [name for name in names if name.lower() in shown]


def test_svix_and_standard_webhooks_sign_under_both_sets_of_names(
    verifiers: Mapping[str, WebhookVerifier],
) -> None:
    moment = datetime.fromtimestamp(AT, UTC)
    for brand, signed in (
        ("svix", svix.webhooks.Webhook(SECRET).sign("msg_1", moment, BODY)),
        ("webhook", standardwebhooks.Webhook(SECRET).sign("msg_1", moment, BODY)),
    ):
        headers = {
            f"{brand}-id": "msg_1",
            f"{brand}-timestamp": str(AT),
            f"{brand}-signature": f"v1,{base64.b64encode(b'x' * 32).decode()} {signed}",
        }
        check(verifiers["standard"], headers, is_timed=True)


def test_stripe_signs_in_one_header(verifiers: Mapping[str, WebhookVerifier]) -> None:
    header = WebhookSignature.generate_signature_header(BODY, SECRET, AT)
    check(verifiers["stripe"], {"Stripe-Signature": header}, is_timed=True)
    # with the old secret too, as it does for a day after a change; its library takes that as well
    _, _, signature = header.partition("v1=")
    both = f"t={AT},v1={'0' * 64},v1={signature},v0={'1' * 64}"
    assert stripe.WebhookSignature.verify_header(BODY, both, SECRET)
    check(verifiers["stripe"], {"Stripe-Signature": both}, is_timed=True)


def test_slack_signs_a_text_of_its_own(verifiers: Mapping[str, WebhookVerifier]) -> None:
    verifier = slack_sdk.signature.SignatureVerifier(SECRET)
    signature = verifier.generate_signature(timestamp=str(AT), body=BODY)
    assert signature is not None
    headers = {"X-Slack-Signature": signature, "X-Slack-Request-Timestamp": str(AT)}
    check(verifiers["slack"], headers, is_timed=True)


async def test_github_signs_the_body(verifiers: Mapping[str, WebhookVerifier]) -> None:
    signature = await in_node("octokit", {"secret": SECRET, "body": BODY}, "sign.js")
    check(verifiers["github"], {"X-Hub-Signature-256": signature}, is_timed=False)


def test_shopify_signs_the_body_in_base64(verifiers: Mapping[str, WebhookVerifier]) -> None:
    digest = hmac.new(SECRET.encode(), BODY.encode(), hashlib.sha256).digest()
    headers = {"X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode()}
    check(verifiers["shopify"], headers, is_timed=False)
