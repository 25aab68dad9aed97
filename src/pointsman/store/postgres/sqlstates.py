"""What an error of the database means to its caller: a table by SQLSTATE, and no I/O.

The codes are those of PostgreSQL's manual, appendix A; the longest prefix that is listed counts.
"""

from __future__ import annotations

import re
import ssl
from enum import Enum
from typing import TypeVar

import asyncpg

V = TypeVar("V")


class Verdict(Enum):
    """What to do after an error."""

    #: another transaction was in the way; the same one again, on the same session
    AGAIN = "again"
    #: it passes; the session is as good as before
    WAIT = "wait"
    #: the session is of no use any more; the next one may be
    CLOSE = "close"
    #: so may be every other: the server takes no writes, is going, or can't be reached
    CLOSE_ALL = "close all"
    #: it stays until somebody changes a setting, a right or the database
    LASTING = "lasting"
    #: the input can't be stored; others can
    DATUM = "datum"


#: what the database, the driver and the network raise
#: (`InternalClientError`: a session that the server has ended meanwhile is used)
ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)

_VERDICTS = {
    "08": Verdict.CLOSE_ALL,  # connection exception
    "0A": Verdict.CLOSE,  # "cached plan must not change result type"
    "22": Verdict.DATUM,  # data exception: no such character, out of range
    "2200H": Verdict.WAIT,  # a sequence is used up: none of the inputs is to blame
    "23": Verdict.DATUM,  # integrity constraint violation
    "23505": Verdict.AGAIN,  # unique violation: another replica was faster
    "25": Verdict.CLOSE,  # a state of the session that we didn't ask for
    "25006": Verdict.CLOSE_ALL,  # read-only transaction: a standby, or about to be one
    "26": Verdict.CLOSE,  # the prepared statement is gone
    "28": Verdict.LASTING,  # wrong password, unknown role, not in pg_hba.conf
    "3D": Verdict.LASTING,  # no such database
    "3F": Verdict.LASTING,  # no such schema
    "40": Verdict.CLOSE,  # rolled back for a reason not listed here
    "40001": Verdict.AGAIN,  # serialization failure
    "40P01": Verdict.AGAIN,  # deadlock
    "42": Verdict.LASTING,  # no right, no such table
    "42P05": Verdict.CLOSE,  # the prepared statement is there already
    "53": Verdict.WAIT,  # no disk, no memory, no connection left
    "54": Verdict.DATUM,  # program limit exceeded: too long for an index
    "55": Verdict.WAIT,  # lock_timeout, an object in use
    "57": Verdict.CLOSE_ALL,  # shut down, starting up, ended by an administrator
    "57014": Verdict.WAIT,  # statement_timeout
    "58": Verdict.WAIT,  # the server's disk failed
}

#: The server says these with 54000, which means a value that is too long otherwise. What it is used
#: up of are its own numbers, so any input would be refused (PostgreSQL, "Preventing Transaction ID
#: Wraparound Failures"). The functions that say so have the same names in every language.
_WRAPAROUND = re.compile(r"wraparound|not accepting commands|multixact")
_WRAPAROUND_FUNCTIONS = frozenset(
    {"GetNewTransactionId", "GetNewMultiXactId", "MultiXactIdSetOldestMember"}
)
#: PgBouncer says this with 08P01, which means a broken connection otherwise
_POOLER_REFUSES = re.compile(
    r"unsupported startup parameter|no such (database|user)|database .* does not exist"
)
_PROGRAM_LIMIT = "54000"
_NO_TLS = "rejected SSL upgrade"

_ADVICE = {
    "08P01": "see the pooler's own settings, and the database and parameters in store.url",
    "23505": "if it was replicated logically, its sequences are behind the ids of its tables; they "
    "are advanced, and it is tried again",
    "25006": "a standby? With several hosts in store.url the one that takes writes is found",
    "26": "a pooler between here and the database has to be in session mode",
    "28": "see the role in store.url, and the server's pg_hba.conf",
    "28P01": "give its password in store.password_file or store.password",
    "2200H": "a sequence of the database is used up: ALTER SEQUENCE … NO MAXVALUE",
    "3D": "correct store.url, or make it: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
    "3F": "correct the search_path of the role in store.url, or create its schema",
    "42": "see that store.url leads to pointsman's own database, and run `pointsman db upgrade`",
    "42501": "the role in store.url needs USAGE and CREATE on its schema, and its own tables",
    "42704": "remove from store.url the parameter that the server does not know",
    "42P01": "its tables are not in the search_path of the role in store.url; restore them, or "
    "restart to begin with an empty store",
    "42P05": "a pooler between here and the database has to be in session mode",
    "53100": "make room on the disk of the database server",
    "53300": "lower store.connections, or raise max_connections of the server",
}
_WRAPAROUND_ADVICE = (
    "the server takes no writes until it is vacuumed: end old transactions, prepared transactions "
    "and replication slots, and run VACUUM in that database"
)
_CERTIFICATE_ADVICE = "see sslrootcert and the host in store.url, and the server's certificate"
_TLS_ADVICE = "the server has no TLS; see sslmode in store.url"
_FILE_ADVICE = "see sslrootcert, sslcert and sslkey in store.url"
_URL_ADVICE = "correct store.url"


def judge(error: BaseException) -> Verdict:
    """One of `ERRORS`. Of a session with an unknown one nothing is known any more."""
    match error:
        case asyncpg.PostgresError():
            state = str(error.sqlstate or "")
            if state == "08P01" and _POOLER_REFUSES.search(str(error)):
                return Verdict.LASTING
            if _is_wraparound(error):
                return Verdict.WAIT
            return _longest(_VERDICTS, state) or Verdict.CLOSE
        case (
            asyncpg.exceptions.ClientConfigurationError()
            | ssl.SSLCertVerificationError()
            | FileNotFoundError()
        ):
            return Verdict.LASTING
        case ConnectionError() if _NO_TLS in str(error):
            return Verdict.LASTING
        case OSError():
            return Verdict.CLOSE_ALL
        case _:
            return Verdict.CLOSE


def explain(error: BaseException) -> str:
    """The error in words, and what to do about it where that is known."""
    words = str(error) or type(error).__name__
    advice = _advice(error)
    return f"{words}; next: {advice}" if advice else words


def _advice(error: BaseException) -> str | None:
    match error:
        case asyncpg.PostgresError():
            if error.sqlstate == "08P01" and judge(error) is not Verdict.LASTING:
                return None
            if _is_wraparound(error):
                return _WRAPAROUND_ADVICE
            return _longest(_ADVICE, str(error.sqlstate or ""))
        case asyncpg.exceptions.ClientConfigurationError():
            return _URL_ADVICE
        case ssl.SSLCertVerificationError():
            return _CERTIFICATE_ADVICE
        case FileNotFoundError():
            return _FILE_ADVICE
        case ConnectionError() if _NO_TLS in str(error):
            return _TLS_ADVICE
        case _:
            return None


def _is_wraparound(error: asyncpg.PostgresError) -> bool:
    """Whether the server has no transaction ids left, and takes no writes of anybody."""
    return error.sqlstate == _PROGRAM_LIMIT and (
        getattr(error, "server_source_function", None) in _WRAPAROUND_FUNCTIONS
        or _WRAPAROUND.search(str(error)) is not None
    )


def _longest(table: dict[str, V], state: str) -> V | None:
    """The entry of the longest prefix of `state`: its own, or that of its class."""
    return table.get(state) or table.get(state[:2])
