"""Checks the signatures of signed statements (xAPI Part 2 section 2.6, 2.0 section 4.2.8).

A signature is an attachment: a JSON web signature whose payload is the statement without it.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import jwt
import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_der_x509_certificate

from pointsman.statements.statement import comparable

USAGE = "http://adlnet.gov/expapi/attachments/signature"
ALGORITHMS = ("RS256", "RS384", "RS512")
_CONTENT_TYPE = "application/octet-stream"
#: what the endpoint may assign after the signing
_ASSIGNED = frozenset({"id", "attachments", "authority", "stored", "timestamp", "version"})


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
    if not isinstance(signed, dict) or _compared(signed, statement) != _compared(statement, signed):
        return "signs another statement than this one"
    return None


def _key(header: dict[str, Any]) -> RSAPublicKey | None:
    chain = header.get("x5c")
    if not chain:
        return None
    key = load_der_x509_certificate(base64.b64decode(chain[0])).public_key()
    if not isinstance(key, RSAPublicKey):
        raise TypeError("not an RSA key")
    return key


def _compared(statement: dict[str, Any], other: dict[str, Any]) -> bytes:
    """What both have of what may be assigned, and all of the rest."""
    properties = {
        name: value
        for name, value in comparable(statement).items()
        if name != "attachments" and (name not in _ASSIGNED or name in other)
    }
    return orjson.dumps(properties, option=orjson.OPT_SORT_KEYS)
