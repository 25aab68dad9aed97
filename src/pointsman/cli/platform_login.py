"""`pointsman platform login` logs a user of a sandbox in, and keeps the authToken."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.cli.platform_session import refuse, with_login
from pointsman.config import load
from pointsman.domain.errors import ConfigError
from pointsman.platforms.base import LoginClient
from pointsman.platforms.tokens.file import save_token
from pointsman.secret_values import read_secret


def login(
    email: str,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    password_file: Annotated[
        Path | None,
        typer.Option(
            help="The password's file; - is standard input. Without it, it is asked for.",
        ),
    ] = None,
    save_to: Annotated[
        Path | None, typer.Option(help="A token file, as learners.tokens.file is; mode 0600.")
    ] = None,
    show_token: Annotated[bool, typer.Option("--show-token", help="Print the authToken.")] = False,
) -> None:
    """Log a user in, on a sandbox: is the password right, and what is the authToken?

    **Example:** `pointsman platform login ana@example.com --save-to tokens.json`
    """
    settings = load(config)
    password = _password(password_file)

    async def ask(client: LoginClient) -> None:
        login = await client.log_in(email, password)
        if login.token is None:
            refuse(
                login.answer.message,
                "see that platform.url and platform.api_key are right (`pointsman wait platform` "
                "says), and that the instance has this address with this password",
                login.answer.outcome,
            )
        if save_to is not None:
            save_token(save_to, email.lower(), login.token, login.user_id)
            typer.echo(f"{email} is logged in; the authToken is in {save_to}")
        else:
            typer.echo(f"{email} is logged in")
        if show_token:
            typer.echo(login.token)

    asyncio.run(with_login(settings, ask))


def _password(file: Path | None) -> str:
    """From a file, standard input or the terminal. Raises `ConfigError`."""
    if file == Path("-"):
        text = sys.stdin.readline()
    elif file is not None:
        try:
            return read_secret(file)
        except ValueError as error:
            raise ConfigError(f"--password-file: {error}") from None
    elif sys.stdin.isatty():
        text = typer.prompt("Password", hide_input=True)
    else:
        raise ConfigError(
            "there is no terminal to ask for the password at: give --password-file FILE, or "
            "--password-file - and the password on standard input"
        )
    if not (password := text.rstrip("\r\n")):
        raise ConfigError("the password is empty")
    return password
