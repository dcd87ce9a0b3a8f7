"""What the README shows is what the commands print."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


def shown() -> list[tuple[str, list[str]]]:
    """Each command of the README's first block with the lines printed below it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```console\n(.*?)```", text, flags=re.DOTALL)
    assert block
    parts = re.split(r"^\$ ", block[1], flags=re.MULTILINE)[1:]
    return [(part.split("\n")[0], part.split("\n")[1:]) for part in parts]


def squeezed(lines: list[str]) -> list[str]:
    """Lines without the spaces that only the width of a terminal puts there."""
    return [" ".join(line.split()) for line in lines if line.strip()]


def test_the_sample_gives_the_output_of_the_readme(
    simbox: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = shown()
    assert [words.split()[1] for words, _ in commands] == [
        "detect",
        "explain",
        "explain",
        "explain",
    ]
    for name in ("captures",):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for command, expected in commands:
        words = shlex.split(command)[1:]
        ended = simbox(*words, *(["--format", "table"] if words[0] == "detect" else []))
        assert ended.code == 0
        printed = squeezed(ended.out.splitlines())
        for piece in " \n ".join(squeezed(expected)).split("..."):  # what is left out in between
            wanted = [line.strip() for line in piece.split("\n") if line.strip()]
            at = printed.index(wanted[0])
            assert printed[at : at + len(wanted)] == wanted
            printed = printed[at + len(wanted) :]
