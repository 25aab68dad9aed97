"""`pointsman deliveries` hands out what was sent: a line or a row for each settled state."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import orjson
import typer

from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption, output_path
from pointsman.cli.times import parse_time
from pointsman.config import load
from pointsman.domain.errors import ConfigError

if TYPE_CHECKING:
    from pointsman.commands import SettledDelivery

_NOT_AT_A_TERMINAL = "parquet is no text: give --output FILE"


def deliveries(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    since: Annotated[
        str, typer.Option("--since", help="What was settled since: 7d, 12h, or a date or time.")
    ] = "1d",
    until: Annotated[
        str, typer.Option("--until", help="What was settled before then; 0s is now.")
    ] = "0s",
    form: Annotated[
        Literal["ndjson", "parquet"],
        typer.Option("--format", help="A JSON object in each line, or Parquet."),
    ] = "ndjson",
    output: Annotated[
        Path | None, typer.Option("--output", help="The file to write, instead of the output.")
    ] = None,
) -> None:
    """Hand out what was sent since: what was wanted, sent and answered, and how long it took.

    One for each state of a delivery, in the order of time, for as long as store.history_days says.

    **Example:** `pointsman deliveries --since 7d --format parquet --output week.parquet`
    """
    if form == "parquet" and output is None:
        raise typer.BadParameter(_NOT_AT_A_TERMINAL)
    if output is not None:
        output_path(output, "--output")
    # not before it is needed: the other commands need not load the whole daemon
    from pointsman import commands  # noqa: PLC0415 - not before it is needed

    write = _ParquetFile(output) if form == "parquet" and output else _Lines(output)
    settings = load(config)
    try:
        asyncio.run(
            commands.deliveries(
                settings, since=parse_time(since), until=parse_time(until), on_page=write.page
            )
        )
    finally:
        write.close()


class _Lines:
    """A JSON object in each line."""

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else path.open("wb")

    def page(self, deliveries: list[SettledDelivery]) -> None:
        file = self._file or sys.stdout.buffer
        for delivery in deliveries:
            file.write(orjson.dumps(delivery, option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class _ParquetFile:
    """A row group for each page; also without any delivery it has all columns."""

    def __init__(self, path: Path) -> None:
        try:
            from pyarrow import parquet  # noqa: PLC0415 - an extra

            from pointsman.cli.parquet_rows import SCHEMA, table  # noqa: PLC0415 - the same
        except ImportError as error:
            raise ConfigError(
                "--format parquet needs pyarrow: pip install 'pointsman[parquet]'"
            ) from error
        self._table = table
        self._writer = parquet.ParquetWriter(path, SCHEMA, compression="zstd")

    def page(self, deliveries: list[SettledDelivery]) -> None:
        if deliveries:
            self._writer.write_table(self._table(deliveries))

    def close(self) -> None:
        self._writer.close()
