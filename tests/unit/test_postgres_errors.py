"""What each error of PostgreSQL means: a table, and no database."""

from __future__ import annotations

import ssl

import asyncpg
import pytest
from asyncpg.exceptions import PostgresError
from hypothesis import given
from hypothesis import strategies as st

from pointsman.store.postgres.sqlstates import Verdict, explain, judge

#: SQLSTATE, what the server says, and what we do
TABLE = [
    ("08000", "connection exception", Verdict.CLOSE_ALL),
    ("08003", "connection was closed in the middle of operation", Verdict.CLOSE_ALL),
    ("08006", "connection failure", Verdict.CLOSE_ALL),
    ("08P01", "server login has been failing, try again later", Verdict.CLOSE_ALL),
    ("08P01", "query_wait_timeout", Verdict.CLOSE_ALL),
    ("08P01", "unsupported startup parameter: search_path", Verdict.LASTING),
    ("08P01", 'database "nope" does not exist', Verdict.LASTING),
    ("08P01", "no such database: nope", Verdict.LASTING),
    ("0A000", "cached plan must not change result type", Verdict.CLOSE),
    ("22003", "bigint out of range", Verdict.DATUM),
    ("22021", 'invalid byte sequence for encoding "UTF8": 0x00', Verdict.DATUM),
    ("22P05", "character with byte sequence 0xe2 0x80 0x99 … has no equivalent", Verdict.DATUM),
    ("2200H", "nextval: reached maximum value of sequence", Verdict.WAIT),
    ("23502", "null value in column", Verdict.DATUM),
    ("23505", "duplicate key value violates unique constraint", Verdict.AGAIN),
    ("25006", "cannot execute INSERT in a read-only transaction", Verdict.CLOSE_ALL),
    ("25P02", "current transaction is aborted", Verdict.CLOSE),
    ("25P03", "terminating connection due to idle-in-transaction timeout", Verdict.CLOSE),
    ("26000", 'prepared statement "__asyncpg_stmt_1__" does not exist', Verdict.CLOSE),
    ("28000", 'role "pm" does not exist', Verdict.LASTING),
    ("28P01", 'password authentication failed for user "pm"', Verdict.LASTING),
    ("3D000", 'database "pm" does not exist', Verdict.LASTING),
    ("3F000", "no schema has been selected to create in", Verdict.LASTING),
    ("40001", "could not serialize access", Verdict.AGAIN),
    ("40003", "statement completion unknown", Verdict.CLOSE),
    ("40P01", "deadlock detected", Verdict.AGAIN),
    ("42501", "permission denied for schema public", Verdict.LASTING),
    ("42704", 'unrecognized configuration parameter "connect_timeout"', Verdict.LASTING),
    ("42P01", 'relation "statements" does not exist', Verdict.LASTING),
    ("42P05", 'prepared statement "__asyncpg_stmt_1__" already exists', Verdict.CLOSE),
    ("53100", "could not extend file: No space left on device", Verdict.WAIT),
    ("53200", "out of memory", Verdict.WAIT),
    ("53300", "sorry, too many clients already", Verdict.WAIT),
    ("54000", "index row size exceeds btree version 4 maximum 2704", Verdict.DATUM),
    ("54000", "database is not accepting commands to avoid wraparound data loss", Verdict.WAIT),
    ("54000", 'multixact "members" limit exceeded', Verdict.WAIT),
    ("55P03", "canceling statement due to lock timeout", Verdict.WAIT),
    ("57014", "canceling statement due to statement timeout", Verdict.WAIT),
    ("57P01", "terminating connection due to administrator command", Verdict.CLOSE_ALL),
    (
        "57P02",
        "terminating connection because of crash of another process",
        Verdict.CLOSE_ALL,
    ),
    ("57P03", "the database system is starting up", Verdict.CLOSE_ALL),
    ("57P04", "database was dropped", Verdict.CLOSE_ALL),
    ("57P05", "terminating connection due to idle-session timeout", Verdict.CLOSE_ALL),
    ("58030", "could not read block: Input/output error", Verdict.WAIT),
    ("XX001", "invalid page in block 3", Verdict.CLOSE),
    ("ZZ999", "something of an extension", Verdict.CLOSE),
]

#: errors of the network and the driver
OTHERS = [
    (ConnectionRefusedError(111, "Connect call failed"), Verdict.CLOSE_ALL),
    (ConnectionResetError(104, "Connection reset by peer"), Verdict.CLOSE_ALL),
    (ConnectionError('PostgreSQL server at "db:5432" rejected SSL upgrade'), Verdict.LASTING),
    (OSError(-2, "Name or service not known"), Verdict.CLOSE_ALL),
    (TimeoutError(), Verdict.CLOSE_ALL),
    (ssl.SSLCertVerificationError(1, "certificate verify failed"), Verdict.LASTING),
    (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), Verdict.CLOSE_ALL),
    (FileNotFoundError(2, "No such file or directory"), Verdict.LASTING),
    (asyncpg.InterfaceError("connection is closed"), Verdict.CLOSE),
    (asyncpg.InternalClientError("cannot switch to state 15"), Verdict.CLOSE),
    (asyncpg.exceptions.OutdatedSchemaCacheError("changed"), Verdict.CLOSE),
    (asyncpg.exceptions.ClientConfigurationError("invalid port"), Verdict.LASTING),
]


def of(state: str, message: str) -> PostgresError:
    return PostgresError.new({"S": "ERROR", "V": "ERROR", "C": state, "M": message})


@pytest.mark.parametrize(("state", "message", "verdict"), TABLE)
def test_each_sqlstate_has_its_verdict(state: str, message: str, verdict: Verdict) -> None:
    assert judge(of(state, message)) is verdict


@pytest.mark.parametrize(
    ("error", "verdict"), [pytest.param(*row, id=type(row[0]).__name__) for row in OTHERS]
)
def test_each_error_of_network_and_driver_has_its_verdict(
    error: Exception, verdict: Verdict
) -> None:
    assert judge(error) is verdict


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=5, max_size=5))
def test_only_data_exceptions_limits_and_constraints_blame_the_input(state: str) -> None:
    verdict = judge(of(state, "words"))
    is_about_data = state[:2] in {"22", "23", "54"} and state not in {"2200H", "23505"}
    assert (verdict is Verdict.DATUM) == is_about_data


@pytest.mark.parametrize(
    "function",
    ["GetNewTransactionId", "GetNewMultiXactId"],
)
def test_a_server_without_transaction_ids_blames_no_input_in_any_language(function: str) -> None:
    told = {"S": "FEHLER", "V": "ERROR", "C": "54000", "M": "Datenbank nimmt keine Befehle an"}
    error = PostgresError.new({**told, "R": function})
    assert judge(error) is Verdict.WAIT
    assert "VACUUM" in explain(error)


@pytest.mark.parametrize("row", [pytest.param(row, id=f"{row[0]} {row[2].value}") for row in TABLE])
def test_what_lasts_says_what_to_do_next(row: tuple[str, str, Verdict]) -> None:
    state, message, verdict = row
    words = explain(of(state, message))
    assert message in words
    if verdict is Verdict.LASTING:
        assert "; next: " in words


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ("28P01", "store.password_file"),
        ("3D000", "CREATE DATABASE"),
        ("42501", "CREATE on its schema"),
        ("53300", "store.connections"),
        ("26000", "session mode"),
        ("25006", "several hosts"),
        ("23505", "sequences"),
    ],
)
def test_advice_names_the_setting_or_the_command(state: str, names: str) -> None:
    assert names in explain(of(state, "words"))


def test_an_error_without_words_is_told_by_its_name() -> None:
    assert explain(TimeoutError()) == "TimeoutError"
