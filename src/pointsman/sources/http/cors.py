"""Decides the headers of cross-origin requests: players run in a browser, on another host. Pure.

https://fetch.spec.whatwg.org/#http-cors-protocol. A preflight carries no credentials, so it is
answered before anybody is asked who they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_METHODS = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
# Named one by one: "*" does not cover authorization.
_HEADERS = (
    "authorization",
    "content-type",
    "x-experience-api-version",
    "x-experience-api-hash",
    "if-match",
    "if-none-match",
)
_EXPOSED = (
    "ETag, Last-Modified, X-Experience-API-Version, X-Experience-API-Consistent-Through, "
    "Retry-After"
)
#: xAPI, and what launched players call; not /launches, whose operators are no browsers, but for the
#: receipt of a launch
_CREDENTIAL_IN_REQUEST = ("/xapi/", "/scorm/", "/cmi5/")
_RECEIPT = re.compile(r"/launches/[^/]+/receipt")
#: of a refused request at which a browser would prompt for a password (RFC 6750 section 3)
BROWSER_CHALLENGE = 'Bearer realm="xapi"'
_MAX_AGE = "600"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: names in one preflight that are answered; no player sends nearly as many
_MOST_NAMES = 50


def shows_credential(path: str) -> bool:
    """Whether a request of this path has its credential in itself: a header, a form, or the path.

    A browser adds none of its own, so an answer may be named to any page that "*" allows.
    """
    return path.startswith(_CREDENTIAL_IN_REQUEST) or bool(_RECEIPT.fullmatch(path))


def would_prompt(headers: Mapping[str, str]) -> bool:
    """Whether a browser would ask its user for a name and password at a Basic challenge.

    It keeps what it is told, and adds it to any page's requests. Sec-Fetch-* comes with https and
    localhost only (W3C Fetch Metadata); Upgrade-Insecure-Requests comes with navigations.
    """
    return (
        "Origin" in headers
        or headers.get("Sec-Fetch-Mode") == "navigate"
        or headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}
        or "Upgrade-Insecure-Requests" in headers
    )


def answer_headers(
    origins: Sequence[str], origin: str | None, *, with_credentials: bool = True
) -> dict[str, str]:
    """What every answer carries for a request of this origin; `origins` are those allowed.

    An origin is named, for with "*" browsers withhold the answer to a request in credentials mode
    (Fetch section 4.10), as every beacon is (W3C Beacon section 4.2), and send no beacon of JSON.
    Without `with_credentials` an origin that only "*" allows is not.
    """
    if not origins:
        return {}
    # Without an allowed origin too: a cache must not give that answer to an allowed one.
    headers = {"Vary": "Origin"}
    if origin is None:
        return headers
    if origin in origins or ("*" in origins and with_credentials):
        return headers | {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": _EXPOSED,
        }
    if "*" in origins:
        return headers | {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": _EXPOSED,
        }
    return headers


def preflight_headers(
    origins: Sequence[str],
    origin: str | None,
    requested: str | None,
    *,
    with_credentials: bool = True,
) -> dict[str, str]:
    """What the answer to a preflight carries; `requested` is Access-Control-Request-Headers."""
    headers = answer_headers(origins, origin, with_credentials=with_credentials)
    if "Access-Control-Allow-Origin" in headers:
        headers |= {
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": ", ".join(_allowed(requested or "")),
            "Access-Control-Max-Age": _MAX_AGE,
        }
    return headers


def _allowed(requested: str) -> Sequence[str]:
    names = (name.strip().lower() for name in requested.split(",", _MOST_NAMES)[:_MOST_NAMES])
    return tuple(dict.fromkeys((*_HEADERS, *(name for name in names if _TOKEN.fullmatch(name)))))
