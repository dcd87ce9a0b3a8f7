"""The lists of features of lines, hosts and sites as Markdown, JSON or tables on the terminal."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping

from rich.table import Table

from simbox.features import Feature

FIELDS = ("family", "name", "unit", "suspicious", "doc", "source")
SUSPICIOUS = {"high": "high", "low": "low", "none": "–"}
HEADINGS = ("Family", "Feature", "Unit", "Suspicious", "What it is", "Source")


Catalogues = Mapping[str, Collection[Feature]]  # by what is measured: line, host, site


def rows(features: Iterable[Feature]) -> list[dict[str, str]]:
    """The features as plain records."""
    return [{name: str(getattr(f, name)) for name in FIELDS} for f in features]


def as_json(catalogues: Catalogues) -> str:
    """The features as one JSON list, each with what it is measured of."""
    every = [{"of": of, **row} for of, features in catalogues.items() for row in rows(features)]
    return json.dumps(every, indent=1, ensure_ascii=False)


def as_page(catalogues: Catalogues) -> str:
    """The features as the Markdown of the README: a table of lines, one of hosts, one of sites."""
    tables = [f"### Of {of}s\n\n{as_markdown(features)}" for of, features in catalogues.items()]
    return "\n\n".join(tables)


def as_markdown(features: Iterable[Feature]) -> str:
    """The features as a Markdown table."""
    lines = [_markdown_row(HEADINGS), _markdown_row("---" for _ in HEADINGS)]
    for row in rows(features):
        cells = {**row, "name": f"`{row['name']}`", "suspicious": SUSPICIOUS[row["suspicious"]]}
        lines.append(_markdown_row(cells[name] for name in FIELDS))
    return "\n".join(lines)


def as_table(features: Iterable[Feature]) -> Table:
    """The features as a table for the terminal, a section a family."""
    table = Table(*HEADINGS[:-1], box=None, header_style="bold", pad_edge=False)
    family = None
    for row in rows(features):
        if family not in (None, row["family"]):
            table.add_section()
        shown = row["family"] if row["family"] != family else ""
        family = row["family"]
        table.add_row(shown, row["name"], row["unit"], SUSPICIOUS[row["suspicious"]], row["doc"])
    return table


def _markdown_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"
