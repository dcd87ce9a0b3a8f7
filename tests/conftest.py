from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import small_world

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"  # real recordings beside the project, where there are any


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings; a test that needs it is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("no recordings beside the project")
    return SHARED


@pytest.fixture
def simbox(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Run the command line in this process and see how it ended."""
    from simbox import cli

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr("sys.argv", ["simbox", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        code = ended.value.code
        return Ended(code if isinstance(code, int) else 0, out, err)

    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("NO_COLOR", "1")
    return run


class Ended:
    """What a command left behind: exit code, what it printed, what it complained about."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two CSV exports of the small world."""
    return small_world.write(tmp_path_factory.mktemp("exports"), files=2)


@pytest.fixture(scope="session")
def finished(exports: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run on the small world."""
    from simbox import detect

    folder = tmp_path_factory.mktemp("runs") / "run"
    detect(exports, out=folder)
    return folder


@pytest.fixture(scope="session")
def captures() -> Path:
    """The folder of our own captures."""
    return ROOT / "captures" / "network"


@pytest.fixture(scope="session")
def captured(captures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run on a gateway's capture, a scanner's and a damaged one."""
    from simbox import detect

    names = ("gateway-4.pcap.zst", "sip-scanner.pcap.zst", "damaged.pcap")
    folder = tmp_path_factory.mktemp("runs") / "captured"
    detect([captures / name for name in names], out=folder)
    return folder
