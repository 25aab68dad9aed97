"""Signed statements (xAPI Part 2 section 2.6, 2.0 section 4.2.8).

A signature is an attachment: a JSON web signature whose payload is the statement without it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import jwt
import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_der_x509_certificate

from pointsman.statements.equality import comparable_actor, content, milliseconds
from pointsman.statements.statement import STATEMENT

ALGORITHMS = ("RS256", "RS384", "RS512")
_CONTENT_TYPE = "application/octet-stream"
#: what may be assigned after the signing, and how it is compared where both have it
_ASSIGNED: dict[str, Callable[[Any], Any]] = {
    "id": str.lower,
    "authority": comparable_actor,
    "stored": milliseconds,
    "timestamp": milliseconds,
    "version": str,
}


def broken_rule(statement: dict[str, Any], content_type: str, signature: bytes) -> str | None:
    """What is wrong with a signature of this statement, None when it is good.

    The certificate is checked where the header carries one (`x5c`); whom to trust is not asked.
    """
    if content_type != _CONTENT_TYPE:
        return f"must have the contentType {_CONTENT_TYPE}"
    codec = jwt.PyJWS(algorithms=list(ALGORITHMS))
    try:
        header = codec.get_unverified_header(signature)
        if header.get("alg") not in ALGORITHMS:
            return f"must be signed with one of {', '.join(ALGORITHMS)}"
        key = _key(header)
        if key is None:
            payload = codec.decode(signature, options={"verify_signature": False})
        else:
            payload = codec.decode(signature, key, algorithms=list(ALGORITHMS))
        signed = orjson.loads(payload)
    except jwt.InvalidSignatureError:
        return "is not what the certificate in its header signed"
    except (jwt.PyJWTError, orjson.JSONDecodeError) as error:
        return f"is no JSON web signature of a statement: {error}"
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm):
        return "has a certificate in its header (x5c) that can't be read"
    return None if _is_same(signed, statement) else "signs another statement than this one"


def _key(header: dict[str, Any]) -> RSAPublicKey | None:
    chain = header.get("x5c")
    if not chain:
        return None
    key = load_der_x509_certificate(base64.b64decode(chain[0])).public_key()
    if not isinstance(key, RSAPublicKey):
        raise TypeError("not an RSA key")
    return key


def _is_same(signed: Any, statement: dict[str, Any]) -> bool:
    """Whether that is a statement, and this one as far as nothing was assigned since."""
    try:
        STATEMENT.validate_python(signed)
        return content(signed) == content(statement) and all(
            written(signed[name]) == written(statement[name])
            for name, written in _ASSIGNED.items()
            if name in signed and name in statement
        )
    except ValueError:  # it breaks a rule of xAPI, or names a day that does not exist
        return False
