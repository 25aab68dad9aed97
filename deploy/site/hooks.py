"""What mkdocs does besides: pages made from the product, and links to files of the repository.

Docs are read in two places, in the repository and on the site. There, pages of the repository's top
are part of it, and a file that is no page is named and not linked.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from pointsman.config.json_schema import json_schema

_TOP = Path(__file__).parents[2]
#: files of the repository that are pages of the site: path there, path here
_PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "reporting.md",
    "deploy/mixin/README.md": "mixin.md",
}
_EXAMPLE = "reference/example.md"
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])+)\]\(([^()\s]+)\)")
_ELSEWHERE = re.compile(r"[a-z]+:|#")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/."""
    for source, page in _PAGES.items():
        text = (_TOP / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=_links(text, source, page)))
    example = (_TOP / "config.example.toml").read_text(encoding="utf-8")
    pages = {
        _EXAMPLE: f"# Example of a configuration file\n\n```toml\n{example}```\n",
        "reference/settings.md": settings_page(json_schema()),
        "pointsman.schema.json": json.dumps(json_schema(), indent=2),
    }
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to the repository's files to where the site has them."""
    del config, files
    path = page.file.src_uri
    if page.file.generated_by:
        return markdown
    return _links(markdown, f"docs/{path}", path)


def _links(markdown: str, source: str, page: str) -> str:
    """`source` is the file in the repository, `page` its place on the site."""
    up = "../" * page.count("/")

    def lead(match: re.Match[str]) -> str:
        text, (address, _, anchor) = match[1], match[2].partition("#")
        if _ELSEWHERE.match(match[2]):
            return match[0]
        target = _in_repository(source, address)
        if target.startswith("docs/") and target.endswith(("/", ".md", ".html", ".json")):
            here = target.removeprefix("docs/")
        elif target in _PAGES:
            here = _PAGES[target]
        elif target == "config.example.toml":
            here = _EXAMPLE
        elif target == "README.md":
            here = "index.md"
            anchor = ""
        else:
            if not (_TOP / target).exists():
                raise ValueError(f"{source}: {match[2]} leads nowhere")
            return text if text.startswith("`") else f"{text} (`{target}`)"
        return f"[{text}]({up}{here}{'#' if anchor else ''}{anchor})"

    return _LINK.sub(lead, markdown)


def _in_repository(source: str, address: str) -> str:
    parts: list[str] = list(Path(source).parent.parts)
    for part in address.split("/"):
        if part == "..":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts) + ("/" if address.endswith("/") else "")


def settings_page(schema: dict[str, Any]) -> str:
    """Every section with its settings, in the order of the classes."""
    lines = [
        "# All settings",
        "",
        "Made from the program itself. [Configuration](../configuration.md) explains the file,",
        "[an example](example.md) shows it, and `pointsman schema` prints it as a",
        "[JSON Schema](../pointsman.schema.json), with which an editor completes and checks yours:",
        "save that beside the file, whose first line is `#:schema ./pointsman.schema.json`.",
    ]
    for path, described in _tables(schema, "", schema["$defs"]):
        lines += ["", f"## `{path}`" if path else "## At the top", ""]
        if path:
            lines += [_plain(described.get("description", "")), ""]
        lines += ["| setting | type | default | |", "| --- | --- | --- | --- |"]
        for name, setting in described["properties"].items():
            if _inner(setting) is None:
                cells = (f"`{name}`", _type(setting), _default(name, setting, described))
                lines.append(f"| {' | '.join(cells)} | {_plain(setting['description'])} |")
    return "\n".join(lines) + "\n"


def _tables(
    described: dict[str, Any], path: str, definitions: dict[str, Any]
) -> list[tuple[str, dict[str, Any]]]:
    tables = (
        [(path, described)]
        if any(_inner(setting) is None for setting in described["properties"].values())
        else []
    )
    for name, setting in described["properties"].items():
        inner = _inner(setting)
        if inner is not None:
            bare = f"{path.strip('[]')}.{name}".strip(".")
            is_list = "items" in json.dumps(setting)
            below = f"[[{bare}]]" if is_list else f"[{bare}]"
            tables += _tables(definitions[inner], below, definitions)
    return tables


def _inner(setting: dict[str, Any]) -> str | None:
    """The definition that a table or a list of tables is made of."""
    match = re.search(
        r'"#/\$defs/(\w+Settings|\w+Limits|KafkaSecurity|TokenEntry)"', json.dumps(setting)
    )
    return match[1] if match else None


def _type(setting: dict[str, Any]) -> str:
    choices = [one for one in setting.get("anyOf", [setting]) if one.get("type") != "null"]
    return " or ".join(dict.fromkeys(map(_one_type, choices)))


def _one_type(one: dict[str, Any]) -> str:
    if "enum" in one:
        return ", ".join(f"`{json.dumps(value)}`" for value in one["enum"])
    if "const" in one:
        return f"`{json.dumps(one['const'])}`"
    if "$ref" in one:
        return "text"
    if one.get("format") in {"path", "file-path"}:
        return "file"
    if one.get("format") == "password":
        return "secret"
    if one.get("format") == "date-time":
        return "time"
    if one["type"] == "array":
        return "list"
    if one["type"] == "object":
        return "table"
    limits = [
        f"{sign} {one[key]:,}"
        for key, sign in (
            ("minimum", "≥"),
            ("exclusiveMinimum", ">"),
            ("maximum", "≤"),
            ("exclusiveMaximum", "<"),
        )
        if key in one
    ]
    kinds = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "true, false",
    }
    return ", ".join([kinds[one["type"]], *limits])


def _default(name: str, setting: dict[str, Any], described: dict[str, Any]) -> str:
    if name in described.get("required", ()):
        return "**required**"
    default = setting.get("default")
    return "" if default in (None, "", [], {}) else f"`{json.dumps(default, ensure_ascii=False)}`"


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("{", "&#123;").replace("<", "&lt;")
