"""Profiles are data: every key is checked when the file is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from simbox.errors import ConfigError, UsageError
from simbox.ingest.cdr.profile import choose, load, load_all, normal_name, parse

GOOD = 'name = "x"\n[columns]\nline = "msisdn"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "p.toml: not TOML"),
        ('name = "x"\nfrom = "served"\n', "p.toml: no such key 'from'. Did you mean 'form'?"),
        (
            'name = "x"\n[time]\nzones = "UTC"\n',
            "p.toml: no such key 'time.zones'. Did you mean 'zone'?",
        ),
        (
            'name = "x"\n[columns]\nimeis = "IMEI"\n',
            "p.toml: columns.imeis: not a column that simbox knows. Did you mean 'imei'?",
        ),
        (
            'name = "x"\n[values.direction]\nA = "outgoing"\n',
            "p.toml: values.direction: 'outgoing' is not one of out, in.",
        ),
        (
            'name = "x"\n[values]\nevent_type = "ts32298"\n',
            "p.toml: values.event_type: no built-in map 'ts32298'.",
        ),
        ('name = "x"\n[values.color]\na = "b"\n', "p.toml: values.color: no such value map."),
        (
            'name = "x"\n[values.cause]\nBUSY = "17a"\n',
            "p.toml: values.cause: '17a' is no Q.850 cause (0..127)",
        ),
        (
            'name = "x"\n[time]\nzone = "Europe/Pari"\n',
            (
                "p.toml: zone 'Europe/Pari': not in the time zone database. "
                "Did you mean 'Europe/Paris'?"
            ),
        ),
        (
            'name = "x"\n[match.patterns]\n1 = "["\n',
            "p.toml: match.patterns: '[' is no pattern:",
        ),
        (
            'name = "x"\n[layout]\ndelimiter = "::"\n',
            "p.toml: layout: delimiter and quote are single characters",
        ),
        ('name = "x"\nform = "both"\n', "p.toml: form: Input should be 'served' or 'call'"),
        ('name = "Not good"\n', "p.toml: name: String should match pattern"),
    ],
)
def test_wrong_profile_is_one_line_that_says_where_and_what(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(text, "p.toml")
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_carriers_own_profile_is_one_file_or_a_folder_of_them(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(GOOD)
    known = load_all([tmp_path])
    assert known["x"].columns == {"line": ("msisdn",)}
    assert choose(file, known) == choose(tmp_path, known) == choose("x", known)


def test_two_profiles_of_a_folder_cannot_share_a_name(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD)
    (tmp_path / "b.toml").write_text(GOOD)
    with pytest.raises(ConfigError, match=r"b\.toml: profile name 'x' is taken by a\.toml"):
        load_all([tmp_path])


def test_profile_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such profile file"):
        load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="no such folder of profiles"):
        load_all([tmp_path / "none"])
    with pytest.raises(UsageError, match=r"holds no profile \(\*\.toml\)"):
        choose(tmp_path, {})


@pytest.mark.parametrize(
    "name", ["call_start", "Call Start", "callStart", "CALL-START", " Call.Start ", "# call_start"]
)
def test_spellings_of_a_column_name_are_one(name: str) -> None:
    assert normal_name(name) == "call_start"
