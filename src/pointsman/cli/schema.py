"""`pointsman schema` prints the JSON Schema of the configuration file."""

from __future__ import annotations

import json

import typer

from pointsman.config.json_schema import json_schema


def schema() -> None:
    """Print a JSON Schema of the configuration file, by which editors complete and check it.

    Save it beside the file and name it in the file's first line, which Even Better TOML, taplo and
    other editors' extensions read: `#:schema ./pointsman.schema.json`. Rules between settings are
    not in a schema; `pointsman check` knows all of them.

    **Example:** `pointsman schema > pointsman.schema.json`
    """
    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
