from __future__ import annotations

from pathlib import Path

import pytest

import small_room


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run on the small world with a room in it."""
    import simbox

    exports = small_room.write(tmp_path_factory.mktemp("room") / "exports")
    folder = exports.parent / "run"
    simbox.detect(exports, options=simbox.Options(cells=exports.parent / "cells.csv"), out=folder)
    return folder
