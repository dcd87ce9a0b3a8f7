"""How commands end: interrupted, terminated, with wrong options, on odd streams."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RUN = "sys.argv = ['simbox', 'detect', sys.argv[1], '--out', sys.argv[2]]; cli.main()\n"
KILL = "os.kill(os.getpid(), signal.{name})"
MOMENTS = {
    "importing": (
        "class Finder:\n"
        "    def find_spec(name, *_):\n"
        "        name == 'polars' and {kill}\n"
        "sys.meta_path.insert(0, Finder)\n"
    ),
    "reading": (
        "from simbox.ingest.sources import Stream\n"
        "Stream.read = lambda *_: {kill}\n"
    ),
    "measuring": "from simbox import pipeline\npipeline.compute = lambda *_: {kill}\n",
    "finalising": (
        "import time\n"
        "class Held:\n"
        "    def __del__(self):\n"
        "        {kill}\n"
        "from simbox import pipeline\n"
        "pipeline.compute = lambda *_: (Held() and None, time.sleep(5))\n"
    ),
    "importing, in a library that hides it": (
        "class Finder:\n"
        "    def find_spec(name, *_):\n"
        "        if name == 'polars':\n"
        "            try: {kill}\n"
        "            except KeyboardInterrupt: raise ImportError('no polars') from None\n"
        "sys.meta_path.insert(0, Finder)\n"
    ),
}  # fmt: skip


def ended(script: str, *arguments: Path) -> tuple[int, str]:
    # a shell that starts tests in its background lets them ignore interrupts
    heard = "signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"import os, signal, sys; {heard}; from simbox import cli\n{script}{RUN}"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("moment", MOMENTS)
def test_interrupt_ends_with_130_and_leaves_nothing(
    exports: Path, tmp_path: Path, moment: str
) -> None:
    script = MOMENTS[moment].format(kill=KILL.format(name="SIGINT"))
    assert ended(script, exports, tmp_path / "run") == (130, "")
    assert list(tmp_path.iterdir()) == []


def test_terminated_run_leaves_nothing_behind(exports: Path, tmp_path: Path) -> None:
    script = MOMENTS["measuring"].format(kill=KILL.format(name="SIGTERM"))
    assert ended(script, exports, tmp_path / "run") == (143, "")
    assert list(tmp_path.iterdir()) == []


def test_second_interrupt_does_not_stop_the_clearing_up() -> None:
    from simbox.cli import _process

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _process.prepare()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert _process.ended_early() == 130
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["detect"], "Missing argument 'PATHS'; 'simbox detect --help' shows more"),
        (["detct"], "Did you mean 'detect'?; 'simbox --help' shows more"),
        (["--nope"], "No such option: --nope; 'simbox --help' shows more"),
        (["detect", "x", "--outt", "y"], "No such option: --outt"),
        (["detect", "x", "--since", "yesterday"], "Invalid value for '--since'"),
        (["detect", "x", "--top", "0"], "Invalid value for '--top'"),
        (["detect", "x", "--format", "xml"], "Invalid value for '--format'"),
        (["inspect", "x", "--zone"], "Option '--zone' requires an argument"),
    ],
)
def test_wrong_usage_is_one_line(
    simbox: Callable[..., Any], arguments: list[str], said: str
) -> None:
    wrong = simbox(*arguments)
    assert (wrong.code, wrong.out, wrong.err.count("\n")) == (2, "", 1)
    assert wrong.err.startswith("simbox: ")
    assert said in wrong.err


def test_file_that_may_not_be_read_is_named_in_one_line(
    simbox: Callable[..., Any], exports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_, **__: False)
    closed = simbox("inspect", exports / "cdr_0.csv")
    assert (closed.code, closed.err.count("\n")) == (2, 1)
    assert "cdr_0.csv' is not readable" in closed.err


@pytest.mark.parametrize(
    "arguments", [["score", "locked/x"], ["detect", ".", "--profile", "locked/p.toml"]]
)
def test_path_inside_a_closed_folder_is_named_in_one_line(
    simbox: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    def refused(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refused)
    closed = simbox(*arguments)
    assert (closed.code, closed.err.count("\n")) == (2, 1)
    assert "closed to this user (Permission denied)" in closed.err


def test_no_command_shows_the_help(simbox: Callable[..., Any]) -> None:
    bare, asked = simbox(), simbox("--help")
    assert (bare.code, asked.code, bare.err) == (2, 0, "")
    assert bare.out.split() == asked.out.split()
    for command in ("detect", "explain", "inspect", "score"):
        assert command in asked.out


def test_version_needs_no_heavy_library() -> None:
    code = (
        "import sys; from simbox import cli; sys.argv = ['simbox', '--version']\n"
        "try: cli.main()\n"
        "finally: print([m for m in ('polars', 'numpy', 'pydantic') if m in sys.modules])\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[1] == "[]"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "gbk"])
def test_terminal_of_a_narrow_encoding_shows_what_it_can(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    from simbox import cli

    held = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(held, encoding=encoding))
    monkeypatch.setattr("sys.argv", ["simbox", "catalogue"])
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    sys.stdout.flush()
    assert b"distinct_ratio" in held.getvalue()


def test_closed_output_is_no_error(finished: Path) -> None:
    features = finished / "features.parquet"
    command = f'"{sys.executable}" -m simbox score "{features}" >&-'
    done = subprocess.run(command, shell=True, capture_output=True, check=False)  # noqa: S602
    assert (done.returncode, done.stderr) == (0, b"")


def test_debug_shows_where(simbox: Callable[..., Any], tmp_path: Path) -> None:
    absent = simbox("--debug", "detect", tmp_path / "absent")
    os.environ.pop("SIMBOX_DEBUG")
    assert absent.code == 2
    assert "Traceback" in absent.err


def test_reader_that_stops_early_is_no_error() -> None:
    command = [sys.executable, "-m", "simbox", "catalogue", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as done:
        assert done.stdout is not None
        assert done.stderr is not None
        done.stdout.close()
        assert done.stderr.read() == b""
