from __future__ import annotations

from pathlib import Path

import pytest

from simbox.errors import InputError
from simbox.evaluation.inputs import open_input


def test_a_run_that_is_not_there_is_named_before_its_labels_are_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or run folder"):
        open_input(tmp_path / "nowhere", None)
