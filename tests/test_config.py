from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from simbox.config import Config, check_names, configs_folder, line_of, load
from simbox.errors import ConfigError
from simbox.features import features
from simbox.scoring import LOOKALIKES, scorecard

FAMILIES = {name: feature.family for name, feature in features().items()}


@pytest.fixture
def load_text(tmp_path: Path) -> Callable[[str], Config]:
    def write(text: str) -> Config:
        (tmp_path / "carrier.toml").write_text(text)
        return load(tmp_path / "carrier.toml")

    return write


def test_defaults_come_from_the_shipped_file_alone() -> None:
    config = load()
    shipped = tomllib.loads((configs_folder() / "default.toml").read_text(encoding="utf-8"))
    assert config.scoring.prior == shipped["scoring"]["prior"]
    assert set(config.scoring.features) == set(shipped["scoring"]["features"])
    assert set(config.scoring.lookalikes) == {lookalike.name for lookalike in LOOKALIKES}


def test_defaults_name_every_scored_feature_in_its_direction() -> None:
    config = load()
    check_names(config, FAMILIES)
    for name, feature in features().items():
        scored = config.scoring.features.get(name)
        direction = "none"
        if scored is not None:
            direction = "high" if scored.gateway > scored.legit else "low"
        assert direction == feature.suspicious, name


def test_every_default_has_a_comment_with_its_meaning() -> None:
    text = (configs_folder() / "default.toml").read_text(encoding="utf-8")
    for block in re.split(r"\n\n+", text):
        if "=" in re.sub(r"#.*", "", block) and not block.startswith("[scoring.families."):
            assert "#" in block, block


def test_user_s_file_is_laid_over_the_defaults_key_by_key(
    load_text: Callable[[str], Config],
) -> None:
    config = load_text(
        "[scoring]\nprior = 0.001\n"
        "[scoring.families.direction]\nq = 0.2\n"
        "[scoring.features]\nout_share = { weight = 0 }\n"
        "[lists]\nfiles = ['hot.csv']\n"
    )
    default = load()
    assert config.scoring.prior == 0.001
    assert config.scoring.families["direction"].q == 0.2
    assert config.scoring.families["direction"].p == default.scoring.families["direction"].p
    assert config.scoring.features["out_share"].weight == 0
    assert config.scoring.features["out_share"].legit == 0.8
    assert config.lists.files == ("hot.csv",)
    assert config.outputs == default.outputs
    assert "out_share" not in scorecard(config, FAMILIES).features


def test_signal_that_is_not_scored_by_default_can_be(load_text: Callable[[str], Config]) -> None:
    config = load_text("[scoring.features.night_share]\nlegit = 0.2\ngateway = 0.6\n")
    assert "night_share" in scorecard(config, FAMILIES).features


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[scoring]\npirors = 0.1\n",
            "line 2: unknown key 'scoring.pirors'. Did you mean 'prior'?",
        ),
        ("\n[scorin]\nprior = 0.1\n", "line 2: unknown key 'scorin'. Did you mean 'scoring'?"),
        ("scoring.pior = 1", "line 1: unknown key 'scoring.pior'. Did you mean 'prior'?"),
        (
            "[scoring.features]\nout_share = { legit = 0.7, weigth = 2 }",
            "line 2: unknown key 'scoring.features.out_share.weigth'. Did you mean 'weight'?",
        ),
        (
            "[scoring.features.out_shar]\nlegit = 0.7\n",
            "line 1: scoring.features.out_shar.gateway: is missing. Did you mean 'out_share'?",
        ),
        (
            "[scoring.lookalikes.redial]\nweight = 2\n",
            "line 1: no look-alike 'redial'. Did you mean 'redials'?",
        ),
        (
            "[scoring]\nprior = 2\n",
            "line 2: scoring.prior: input should be less than 1; found 2",
        ),
        ("[scoring]\nfeatures = 3\n", "line 2: scoring.features: a table is needed; found 3"),
        ("[scoring]\nprior = 'x'\n", "line 2: scoring.prior: input should be a valid number; "),
        ("[scoring]\nprior = nan\n", "line 2: scoring.prior: input should be"),
        ("scoring = 3\n", "line 1: scoring: a table is needed; found 3"),
        (
            "[scoring]\n\nwatch_probability = 0.7\n",
            "line 1: scoring: watch_probability must be below alert_probability; found 0.7 and 0.5",
        ),
        (
            "[scoring]\npercentile_low = 0.999\n",
            "line 1: scoring: percentile_low must be below percentile_high",
        ),
        (
            "[scoring]\ndirection_volume = ['tempi']\n",
            "direction_volume names no family 'tempi'. Did you mean 'tempo'?",
        ),
        (
            "[scoring.families.tempo]\np = 0.01\n",
            "line 1: scoring.families.tempo: q must be below p; found q = 0.05, p = 0.01",
        ),
        (
            "[scoring.features.gap_median]\nlegit = 10\n",
            "line 1: scoring.features.gap_median: legit and gateway must differ; both are 10.0",
        ),
        (
            "[scoring.features.gap_median]\ngateway = 0\n",
            "a log scale needs legit and gateway above 0",
        ),
        (
            "[scoring.lookalikes.redials.anchors]\nredial_share = [0.2, 0.2]\n",
            "the two anchors of redial_share must be numbers that differ",
        ),
        ("[outputs]\ntop = 0\n", "line 2: outputs.top: input should be greater than or equal to 1"),
        ("[lists]\nincomplete_white = 'ignore'\n", "line 2: lists.incomplete_white: input should"),
        ("[scoring\nprior = 1\n", "is not TOML:"),
    ],
)
def test_file_that_does_not_fit_is_one_line_of_error_with_its_place(
    text: str, message: str, load_text: Callable[[str], Config]
) -> None:
    with pytest.raises(ConfigError) as error:
        load_text(text)
    assert "carrier.toml: " in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_absent_and_undecodable_files_are_one_line_of_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.toml: cannot be read \(No such file"):
        load(tmp_path / "no.toml")
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({}, "scoring.features.out_share: no feature 'out_share'"),
        (
            {k if k != "out_share" else "out_shares": v for k, v in FAMILIES.items()},
            "scoring.features.out_share: no feature 'out_share'. Did you mean 'out_shares'?",
        ),
        (
            {k: v.replace("tempo", "tempos") for k, v in FAMILIES.items()},
            "scoring.families.tempo: no such family. Did you mean 'tempos'?",
        ),
    ],
)
def test_names_that_no_feature_has_are_refused(known: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        check_names(load(), known)
    assert message in str(error.value)


def test_family_without_evidence_is_refused() -> None:
    config = load()
    families = {n: f for n, f in config.scoring.families.items() if n != "shift"}
    scoring = config.scoring.model_copy(update={"families": families})
    with pytest.raises(ConfigError, match=r"its family 'shift' has no scoring\.families entry"):
        check_names(config.model_copy(update={"scoring": scoring}), FAMILIES)


@pytest.mark.parametrize(
    ("anchors", "message"),
    [
        ("redial_shar = [0.1, 0.2]", "'redial_shar' is no condition of it. Did you mean"),
        ("out_share = [0.1, 0.2]", "'out_share' is no condition of it."),
    ],
)
def test_look_alike_takes_anchors_for_its_own_conditions_only(
    anchors: str, message: str, load_text: Callable[[str], Config]
) -> None:
    config = load_text(f"[scoring.lookalikes.redials.anchors]\n{anchors}\n")
    known = FAMILIES | {"redial_shar": "outcome"}
    with pytest.raises(ConfigError) as error:
        scorecard(config, known)
    assert message in str(error.value)


def test_digest_tells_configurations_apart(load_text: Callable[[str], Config]) -> None:
    assert load().digest() == load().digest()
    assert load_text("").digest() == load().digest()
    assert load_text("[scoring]\nprior = 0.001\n").digest() != load().digest()
    assert Config.model_validate(load().model_dump(mode="json")).digest() == load().digest()


def test_line_of_a_key_is_found_in_tables_dotted_keys_and_inline_tables() -> None:
    text = "a.b = 1\n[c]\nd = { e = 2 }\n[c.f]\ng = 3\n"
    places = {("a", "b"): 1, ("c",): 2, ("c", "d", "e"): 3, ("c", "f", "g"): 5, ("x",): None}
    assert {key: line_of(text, key) for key in places} == places


def test_configuration_cannot_be_changed() -> None:
    config = load()
    with pytest.raises(ValueError, match="frozen"):
        config.scoring.prior = 0.5  # type: ignore[misc]


def test_mark_that_an_editor_puts_at_the_start_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[scoring]\nprior = 0.5\n", encoding="utf-8-sig")
    assert load(tmp_path / "own.toml").scoring.prior == 0.5
