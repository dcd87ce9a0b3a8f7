from __future__ import annotations

import ast
import itertools
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "simbox"
MOST_LINES = 500

#: What each room may import from simbox.
BELOW: dict[str, set[str]] = {}
for _room, _direct in {
    "errors": (),
    "version": (),
    "identifiers": ("errors",),
    "config": ("errors",),
    "tables": ("identifiers", "config"),
    "store": ("tables",),
    "ingest": ("store",),
    "features": ("store",),
    "scoring": ("features",),
    "outputs": ("scoring", "ingest"),
    "pipeline": ("outputs", "version"),
    "simbox": ("pipeline",),
    "evaluation": ("pipeline",),
    "simulation": ("ingest",),
    "cli": ("simbox", "evaluation", "simulation"),
    "__main__": ("cli",),
}.items():
    BELOW[_room] = {_room}.union(_direct, *(BELOW[d] for d in _direct))
BELOW["simulation"] -= {"config"}  # where the anchors of the scores stand: worlds know none

SOURCES = sorted(PACKAGE.rglob("*.py"))
TEXTS = [
    path
    for path in ROOT.rglob("*")
    if path.suffix in {".py", ".toml", ".md", ".txt", ".html", ".css", ".j2"}
    and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
]
names = [str(p.relative_to(ROOT)) for p in SOURCES]


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "simbox" if first == "__init__" else first


def imported_rooms(path: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # "from simbox import store" names a room, "from simbox import FEATURES" the top
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    rooms = {(*m.split("."), "")[1] for m in modules if m.split(".")[0] == "simbox"}
    return {room if room in BELOW else "simbox" for room in rooms}


@pytest.mark.parametrize("path", SOURCES, ids=names)
def test_imports_go_one_way(path: Path) -> None:
    assert imported_rooms(path) <= BELOW[room_of(path)]


@pytest.mark.parametrize("path", SOURCES, ids=names)
def test_files_stay_readable_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("*.py")), ids=lambda p: p.name)
def test_commands_are_thin(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 80


def test_no_file_names_a_place_on_one_machine() -> None:
    absolute = re.compile(r"""(?<![\w.~/])/(?:home|root|Users|work|tmp|opt)/\w""")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in TEXTS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if absolute.search(line)
    ]
    assert found == []


def commands() -> list[str]:
    found = (p.stem for p in (PACKAGE / "cli").glob("*.py") if not p.name.startswith("_"))
    return sorted(name.replace("_", "-") for name in found)


@pytest.mark.parametrize("command", commands())
def test_readme_mentions_every_command(command: str) -> None:
    assert f"simbox {command}" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", commands())
def test_help_of_every_command_has_an_example(simbox: Callable[..., Any], command: str) -> None:
    assert re.search(rf"Example:\s+simbox {command}", simbox(command, "--help").out)


def test_readme_shows_the_catalogue_as_the_command_prints_it(simbox: Callable[..., Any]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"<!-- catalogue -->\n(.*?)<!-- /catalogue -->", readme, re.DOTALL)
    assert shown is not None
    assert shown[1].strip() == simbox("catalogue", "--format", "markdown").out.strip()


def test_catalogue_lists_every_feature_once(simbox: Callable[..., Any]) -> None:
    from simbox import FEATURES, HOST_FEATURES, SITE_FEATURES

    listed = json.loads(simbox("catalogue", "--format", "json").out)
    every = {"line": FEATURES, "host": HOST_FEATURES, "site": SITE_FEATURES}
    known = [(of, name) for of, features in every.items() for name in features]
    assert [(f["of"], f["name"]) for f in listed] == known


def test_every_knob_of_the_default_configuration_says_what_it_does() -> None:
    lines = (ROOT / "configs" / "default.toml").read_text(encoding="utf-8").splitlines()
    # keys that return in every entry of a kind are explained once, as "key = meaning"; a doc is
    # the explanation itself, and the keys of anchors are features
    explained = set(re.findall(r"(\w+) = ", "\n".join(c for c in lines if c.startswith("#"))))
    silent, section = [], ""
    for above, line in itertools.pairwise(["", *lines]):
        if line.startswith("["):
            section = line.partition("]")[0]
        stated = re.match(r"(\w+) *=", line)
        if stated is None or stated[1] == "doc" or section.endswith(".anchors"):
            continue
        if "#" not in line + above[:1] and stated[1] not in explained:
            silent.append(f"{section}] {stated[1]}")
    assert silent == []


def test_shipped_constraints_name_versions_and_nothing_else() -> None:
    lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def test_everything_declared_for_installation_is_constrained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(w for extra in project["optional-dependencies"].values() for w in extra),
    ]
    pinned = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").lower()
    bare = [re.split(r"[<>=\[ ]", w)[0].lower().replace("-", "[-_]") for w in wanted]
    assert [name for name in bare if not re.search(rf"^{name}==", pinned, re.MULTILINE)] == []
