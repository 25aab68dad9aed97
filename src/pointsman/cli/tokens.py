"""`pointsman tokens` makes keys that encrypt authTokens at rest."""

from __future__ import annotations

import typer

from pointsman.platforms.tokens.vault import new_key

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="The authTokens' encryption at rest."
)


@app.callback()
def tokens() -> None:
    """The authTokens' encryption at rest."""


@app.command("new-key")
def new_key_() -> None:
    """Print a fresh key for `learners.tokens.encryption_key`; it is stored nowhere.

    **Example:** `pointsman tokens new-key > secrets/token_key`
    """
    typer.echo(new_key())
