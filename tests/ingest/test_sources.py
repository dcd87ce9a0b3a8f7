"""Files, folders, globs and compressed files; and what is said when they are none."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import polars as pl
import pytest
import zstandard
from reading import read

from simbox.errors import InputError, SimboxError
from simbox.ingest import estimate_rows
from simbox.ingest.sources import expand

HEADER = "msisdn,direction,other,start,duration\n"
ROWS = "".join(f"3360000{i:04d},out,33700000001,2026-03-01 10:00:00,{i}\n" for i in range(300))
TEXT = (HEADER + ROWS).encode()


def packed(kind: str) -> bytes:
    if kind == "zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("day/a.csv", TEXT)
            archive.writestr("__MACOSX/._a.csv", b"\x00\x05")
        return buffer.getvalue()
    return {
        "plain": lambda: TEXT,
        "gz": lambda: gzip.compress(TEXT),
        "zst": lambda: zstandard.compress(TEXT),
        "two zst frames": lambda: zstandard.compress(TEXT[:900]) + zstandard.compress(TEXT[900:]),
        "bz2": lambda: bz2.compress(TEXT),
        "xz": lambda: lzma.compress(TEXT),
    }[kind]()


@pytest.mark.parametrize("kind", ["plain", "gz", "zst", "two zst frames", "bz2", "xz", "zip"])
def test_container_is_told_by_content_and_not_by_name(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "export.dat"
    file.write_bytes(packed(kind))
    report = read([file], tmp_path).report
    assert (report.rows, report.rejected) == (300, 0)


@pytest.mark.parametrize("kind", ["gz", "zst", "bz2", "xz", "zip"])
def test_truncated_container_is_an_error_in_one_line(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "export.dat"
    file.write_bytes(packed(kind)[:-20])
    with pytest.raises(InputError, match="truncated or damaged") as refused:
        read([file], tmp_path)
    assert "\n" not in str(refused.value)


def test_folder_is_read_to_its_bottom_without_hidden_files_and_documents(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    (folder / "deep" / ".cache").mkdir(parents=True)
    (folder / "a.csv").write_bytes(TEXT)
    (folder / "deep" / "b.csv.gz").write_bytes(gzip.compress(TEXT))
    (folder / "deep" / ".cache" / "c.csv").write_bytes(TEXT)
    (folder / "README.md").write_text("# no CDRs")
    (folder / "trace.pcap").write_bytes(b"\xd4\xc3\xb2\xa1" + bytes(40))
    inputs = expand([folder])
    assert [s.file.name for s in inputs.sources] == ["a.csv", "b.csv.gz"]
    assert [Path(s).name for s in inputs.skipped] == ["README.md"]
    assert [s.file.name for s in inputs.captures] == ["trace.pcap"]
    assert read([folder], tmp_path).report.rows == 600


def test_same_file_given_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(TEXT)
    assert len(expand([tmp_path / "a.csv", f"{tmp_path}/*.csv"]).sources) == 1


def test_zip_member_is_named_with_its_archive(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(packed("zip"))
    assert expand([tmp_path / "a.zip"]).sources[0].path == f"{tmp_path}/a.zip!day/a.csv"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty; nothing to read"),
        (b"\xef\xbb\xbf\n\n", "the file is empty; nothing to read"),
        (
            b"\xd4\xc3\xb2\xa1" + bytes(60),
            "a packet capture, and no CDRs beside it; give CDR files",
        ),
        (
            bytes.fromhex("a0820010800100810491000000000000000000"),
            (
                "looks like a BER-encoded CDR file (TS 32.298), which simbox does not decode: "
                "export it as CSV from mediation"
            ),
        ),
        (b"%PDF-1.7\n", "looks like a PDF document, not CDRs"),
        (b"[1, 2]", "a JSON array; write one object a line (JSON Lines)"),
        (
            b"PAR1" + bytes(50),
            "not a whole Parquet file",
        ),
        (HEADER.encode(), "no rows of data below the header; nothing to read"),
    ],
)
def test_wrong_file_is_named_for_what_it_is(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(content)
    with pytest.raises(InputError) as refused:
        read([file], tmp_path)
    assert str(refused.value).startswith(f"{file}: {message}")
    assert "\n" not in str(refused.value)


def test_missing_path_and_folder_without_cdrs_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder; check the path"):
        expand([tmp_path / "none.csv"])
    with pytest.raises(InputError, match="pattern matches no file; check the path"):
        expand([f"{tmp_path}/*.nothing"])
    folder = tmp_path / "documents"
    folder.mkdir()
    with pytest.raises(InputError, match="holds no CDR files and no captures: found nothing"):
        expand([folder])
    (folder / "a.md").write_text("x")
    (folder / "b.md").write_text("x")
    with pytest.raises(InputError, match=r"holds no CDR files and no captures: found 2 \.md"):
        expand([folder])
    with pytest.raises(SimboxError, match="no input"):
        expand([])


def test_rows_are_estimated_from_footers_and_sizes(tmp_path: Path) -> None:
    pl.DataFrame({"a": range(1234)}).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_bytes(b"x" * 9000)
    assert estimate_rows([tmp_path / "a.parquet"]) == 1234
    assert estimate_rows([tmp_path / "b.csv"]) == 100
