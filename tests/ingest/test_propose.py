"""Proposals for unknown files can be used as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import read

from simbox.errors import InputError
from simbox.ingest import IngestOptions, proposals
from simbox.ingest.cdr.propose import propose
from simbox.ingest.sources import Source

FILES = {
    "french": (
        "Numéro appelant;Numéro appelé;Date heure;Durée;Etat\n",
        "0600000{i:03d};0700000001;{d:02d}/03/2026 10:00:00;00:01:{i:02d};abouti\n",
        "cp1252",
    ),
    "spanish": (
        "numero,destino,fecha,duracion,sentido,celda\n",
        "60000{i:04d},700000001,2026-03-{d:02d} 10:00:00,{i},saliente,C{i}\n",
        "utf-8",
    ),
    "chinese": (
        "用户号码,对端号码,主被叫,开始时间,通话时长,基站\n",
        "1380000{i:04d},13900000001,主叫,202603{d:02d}100000,{i},小区{i}\n".replace(
            "202603", "202603"
        ),
        "gb18030",
    ),
    "no header": (
        "",
        "3360000{i:04d}|33700000001|2026-03-{d:02d}T10:00:00|{i}\n",
        "utf-8",
    ),
    "epoch and two parties": (
        "src\tdst\ttimestamp\tbillsec\n",
        "3360000{i:04d}\t33700000001\t17723592{d:02d}\t{i}\n",
        "utf-8",
    ),
    "date and time apart": (
        "msisdn,direction,date,time,duration\n",
        "3360000{i:04d},IN,2026-03-{d:02d},10:00:00,{i}\n",
        "utf-8",
    ),
    "accounts": (
        "user,dialled,start_time,secs_duration\n",
        "alice.{i}@pbx,bob,2026-03-{d:02d} 10:00:00,{i}\n",
        "utf-8",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_proposal_reads_every_row_of_its_file(name: str, tmp_path: Path) -> None:
    header, row, encoding = FILES[name]
    rows = [row.format(i=i, d=1 + i % 28) for i in range(50)]
    file = tmp_path / "export.txt"
    file.write_bytes((header + "".join(rows)).encode(encoding))
    profile = tmp_path / "own.toml"
    profile.write_text(propose(Source(file)).toml, encoding="utf-8")
    report = read([file], tmp_path, profile=profile).report
    assert (report.rows, report.events, report.rejects) == (50, 50, {})
    assert report.first is not None
    assert (report.first.year, report.first.month) == (2026, 3)
    assert report.files[0].null_share["duration"] == 0.0


def test_columns_are_told_by_content_where_names_say_nothing(tmp_path: Path) -> None:
    file = tmp_path / "export.txt"
    rows = [
        f"350000010000012,00101000000{i:04d},2026-03-01 10:00:00,3360000{i:04d},33700000001\n"
        for i in range(30)
    ]
    file.write_text("f1,f2,f3,f4,f5\n" + "".join(rows).replace("00101", "20801"))
    columns = propose(Source(file)).profile.columns
    assert columns["start"] == ("f3",)
    assert columns["imei"] == ("f1",)
    assert columns["imsi"] == ("f2",)
    assert (columns["line"], columns["other"]) == (("f4",), ("f5",))


def test_day_and_month_that_could_be_exchanged_are_pointed_out(tmp_path: Path) -> None:
    file = tmp_path / "export.txt"
    file.write_text("msisdn,called,start\n" + "3360000001,3370000001,02/03/2026 10:00:00\n" * 9)
    toml = propose(Source(file)).toml
    assert 'formats = ["%d/%m/%Y %H:%M:%S"]  # day and month may be exchanged: check' in toml


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,colour\nx,red\ny,blue\n", "no CDRs: no time and no party column among name, colour"),
        ("only one column\nof text\n", "no delimiter divides its lines; found one column of text"),
    ],
)
def test_file_without_calls_gets_no_proposal(content: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text(content)
    with pytest.raises(InputError) as refused:
        propose(Source(file))
    assert str(refused.value) == f"{file}: {message}"


def test_only_files_that_no_profile_fits_get_a_proposal(tmp_path: Path) -> None:
    (tmp_path / "known.csv").write_text("msisdn,direction,start\n1,out,2026-03-01 10:00:00\n")
    (tmp_path / "new.csv").write_text(
        "msisdn,called,start\n3360000001,3370000001,2026-03-01 10:00:00\n"
    )
    found = proposals([tmp_path], IngestOptions())
    assert [Path(p.path).name for p in found] == ["new.csv"]
