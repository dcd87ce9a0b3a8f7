"""Input files: paths, folders and globs expanded, compressed ones opened as streams of bytes.

What a file is, is told by its first bytes and not by its name.
"""

from __future__ import annotations

import bz2
import glob
import gzip
import hashlib
import lzma
import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Literal, Self

import zstandard

from simbox.errors import InputError, UsageError

Kind = Literal["text", "jsonl", "parquet"]

HEAD_BYTES = 1 << 18
_BLOCK = 1 << 22
_LONGEST_LINE = 1 << 16
_NOT_DATA = {".md", ".toml", ".py", ".sh", ".ini", ".cfg", ".yaml", ".yml", ".html"}
_NOT_DATA |= {".md5", ".sha1", ".sha256", ".sha512", ".asc", ".sig", ".ctl", ".db", ".log"}
_MAYBE_DATA = {".txt", ".json", ".xml", ".idx", ".ok", ".done", ".flag", ".ini", ".pdf", ".xlsx"}

_COMPRESSION = {b"\x1f\x8b": "gz", b"\x28\xb5\x2f\xfd": "zst", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz"}
_UNPACKING = (
    EOFError,
    OSError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zstandard.ZstdError,
)  # what unpacking damaged data raises
_MAGIC = {
    b"\xd4\xc3\xb2\xa1": "a packet capture (pcap)",
    b"\xa1\xb2\xc3\xd4": "a packet capture (pcap)",
    b"\x4d\x3c\xb2\xa1": "a packet capture (pcap)",
    b"\xa1\xb2\x3c\x4d": "a packet capture (pcap)",
    b"\x0a\x0d\x0d\x0a": "a packet capture (pcapng)",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
    b"ARROW1": "an Arrow file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x7fELF": "a program",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
}
_CAPTURE = "a packet capture"
_BER_TAGS = {*range(0xA0, 0xB7), 0xBF}
_TAP_TAGS = {0x61, 0x62}
_HEADER_32297 = 54  # octets of the shortest file header
_ADVICE = {
    "a packet capture": "which is not read as CDRs",
    "a BER": "which simbox does not decode: export it as CSV from mediation",
    "an old Excel": "which is not read: save it as CSV",
    "an Excel": "which is not read: save it as CSV",
}


@dataclass(frozen=True)
class Source:
    """One stream of records: a file, or a member of a zip archive."""

    file: Path
    member: str | None = None
    walked: bool = field(default=False, compare=False)  # met in a folder, not named itself

    @property
    def path(self) -> str:
        return f"{self.file}!{self.member}" if self.member else str(self.file)

    @property
    def size(self) -> int:
        return self.file.stat().st_size

    @property
    def stem(self) -> str:
        """The bare name, without folder and suffixes."""
        return Path(self.member or self.file.name).name.split(".")[0]

    @property
    def doubtful(self) -> bool:
        """Whether it may be what exporters lay beside records: a note or a control file."""
        return self.walked and self.file.suffix.lower() in _MAYBE_DATA


class Stream:
    """A readable stream that unpacks as it goes and knows how far into the file it is."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._raw: IO[bytes] = source.file.open("rb")
        self._archive: zipfile.ZipFile | None = None
        inner: IO[bytes] = self._raw
        if source.member is not None:
            try:
                self._archive = zipfile.ZipFile(self._raw)
                inner = self._archive.open(source.member)
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error) as error:
                raise InputError(f"{source.path}: cannot be unpacked: {error}") from None
        self.packed = _packed(inner)
        self._plain = not self.packed and self._archive is None
        self._digest = hashlib.sha256()
        self._digested = True  # all that has been read
        self._blocks = _unpack(inner, self.packed)
        self._rest = memoryview(b"")  # unpacked, and not yet asked for by fill
        self.trouble: InputError | None = None  # what ended fill before the end of the file

    def tell(self) -> int:
        """Bytes of the file on disk that have been read."""
        return self._raw.tell() if not self._raw.closed else self.source.size

    def read(self, size: int) -> bytes:
        """The next bytes, unpacked: about as many as asked for, none at the end.

        A file that is not packed is read up to the end of a line, where one is near.

        Raises:
            InputError: the file is damaged or ends too early.
        """
        if self._plain:
            data = self._raw.read(size + self._to_line_end(size))
            self._digest.update(data)
            return data
        parts, held = [], 0
        while held < size:
            try:
                block = next(self._blocks, b"")
            except _UNPACKING as error:
                raise self._damaged(error) from None
            if not block:
                break
            parts.append(block)
            held += len(block)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def fill(self, into: memoryview, *, digest: bool = True) -> int:
        """Fill with the next bytes, unpacked; fewer only at the end or before damage.

        Damage is no error here: what could be unpacked before it is handed out, and ``trouble``
        tells.  Without ``digest`` the file is read once more when its SHA-256 is asked for.
        """
        if self._plain:
            got = self._raw.readinto(into)  # type: ignore[attr-defined]
            self._digested &= digest
            if digest:
                self._digest.update(into[:got])
            return int(got)
        held = 0
        while held < len(into) and (len(self._rest) or self._next_block()):
            taken = self._rest[: len(into) - held]
            into[held : held + len(taken)] = taken
            held += len(taken)
            self._rest = self._rest[len(taken) :]
        return held

    def _next_block(self) -> bool:
        try:
            self._rest = memoryview(next(self._blocks, b""))
        except _UNPACKING as error:
            self.trouble = self._damaged(error)
        return len(self._rest) > 0

    def _to_line_end(self, ahead: int) -> int:
        """How many bytes beyond the next so many the line goes on that is cut there."""
        here = self._raw.tell()
        self._raw.seek(here + ahead)
        more = len(self._raw.readline(_LONGEST_LINE))
        self._raw.seek(here)
        return more

    def sha256(self) -> str:
        """The SHA-256 of the file as it lies on disk, of which all has been read."""
        digested = self._plain and self._digested
        return self._digest.hexdigest() if digested else sha256(self.source.file)

    def _damaged(self, error: Exception) -> InputError:
        packed = self.packed or ("zip" if self._archive else "file")
        return InputError(
            f"{self.source.path}: {packed} data is truncated or damaged ({error}); "
            "transfer the file again"
        )

    def close(self) -> None:
        if self._archive is not None:
            self._archive.close()
        self._raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _packed(inner: IO[bytes]) -> str:
    head = inner.read(8)
    inner.seek(0)
    return next((name for magic, name in _COMPRESSION.items() if head.startswith(magic)), "")


def _unpack(inner: IO[bytes], packed: str) -> Iterator[bytes]:
    if packed == "zst":
        return _zst_blocks(inner)
    openers: dict[str, Any] = {"gz": gzip.GzipFile, "bz2": bz2.BZ2File, "xz": lzma.LZMAFile}
    if packed == "gz":
        return _plain_blocks(gzip.GzipFile(fileobj=inner))
    return _plain_blocks(openers[packed](inner) if packed else inner)


def _plain_blocks(stream: Any) -> Iterator[bytes]:  # noqa: ANN401  # any of four file types
    # not read: what could be unpacked before damage is not to be lost
    while block := stream.read1(_BLOCK):
        yield block


def _zst_blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """Frames one after another; an unfinished last frame is an error."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    started = False
    while block := stream.read(_BLOCK >> 6):
        while block:
            started = True
            if data := frame.decompress(block):
                yield data
            if not frame.eof:
                break
            block = frame.unused_data
            frame, started = zstandard.ZstdDecompressor().decompressobj(), False
    if started:
        raise EOFError("the last frame is not complete")


def head(source: Source) -> bytes:
    """The first bytes of a source, unpacked."""
    try:
        with Stream(source) as stream:
            return stream.read(HEAD_BYTES)[:HEAD_BYTES]
    except PermissionError:
        raise InputError(f"{source.path}: no permission to read it") from None


def sha256(file: Path) -> str:
    """The SHA-256 of a file as it lies on disk."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def what_else(first: bytes, size: int) -> str:
    """What a file is that holds no text and no table; empty when it may hold records."""
    named = next((name for magic, name in _MAGIC.items() if first.startswith(magic)), "")
    if named or first[257:262] == b"ustar":
        return named or "a tar archive"
    if first.startswith((b"\xff\xfe", b"\xfe\xff")) or utf16(first):
        return ""
    if int.from_bytes(first[:4]) == size and size > _HEADER_32297:
        return "a BER-encoded CDR file with a TS 32.297 header"
    return _binary(first)


def _binary(first: bytes) -> str:
    """What binary data is, by its first octet; empty for text."""
    control = sum(first[:4096].count(bytes([c])) for c in (*range(9), *range(14, 20)))
    tags = {**dict.fromkeys(_TAP_TAGS, "a BER-encoded TAP3 file")}
    tags |= dict.fromkeys(_BER_TAGS, "a BER-encoded CDR file (TS 32.298)")
    if control and first[0] in tags:
        return tags[first[0]]
    return "binary data" if control > len(first[:4096]) // 20 else ""


def utf16(first: bytes) -> str:
    """The byte order of UTF-16 text without a mark, or nothing."""
    odd, even = first[1:2000:2], first[0:2000:2]
    for order, zeros, others in (("le", odd, even), ("be", even, odd)):
        if len(zeros) > 8 and zeros.count(0) > 0.6 * len(zeros) and others.count(0) == 0:
            return f"utf-16-{order}"
    return ""


def kind_of(source: Source, first: bytes) -> Kind:
    """What kind of records a source holds.

    Raises:
        InputError: the file is empty or is something else.
    """
    if first and not first.strip(b"\x00"):
        raise InputError(f"{source.path}: holds nothing but zero bytes; transfer the file again")
    if first.startswith(b"PK\x05\x06"):
        raise InputError(f"{source.path}: an empty zip archive; nothing to read")
    if not first.strip(b"\r\n\t \x00\xef\xbb\xbf\xff\xfe"):
        raise InputError(f"{source.path}: the file is empty; nothing to read")
    if first.startswith(b"PAR1"):
        return "parquet"
    if first.startswith(b"PK\x03\x04"):
        raise InputError(f"{source.path}: a zip inside a zip; unpack it first")
    other = what_else(first, source.size)
    if other:
        advice = next((a for name, a in _ADVICE.items() if other.startswith(name)), "not CDRs")
        raise InputError(f"{source.path}: looks like {other}, {advice}")
    start = first.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"[":
        raise InputError(f"{source.path}: a JSON array; write one object a line (JSON Lines)")
    return "jsonl" if start == b"{" else "text"


def _members(file: Path) -> list[Source]:
    """A plain file, or the members of a zip archive."""
    with file.open("rb") as handle:
        magic = handle.read(4)
        if magic != b"PK\x03\x04":
            return [Source(file)]
        try:
            with zipfile.ZipFile(handle) as archive:
                names = [i.filename for i in archive.infolist() if not i.is_dir()]
        except zipfile.BadZipFile as error:
            raise InputError(
                f"{file}: zip data is truncated or damaged ({error}); transfer the file again"
            ) from None
    if "[Content_Types].xml" in names:
        raise InputError(f"{file}: looks like an Excel workbook, which is not read: save it as CSV")
    shown = [n for n in names if not Path(n).name.startswith(".") and "__MACOSX" not in n]
    if not shown:
        raise InputError(f"{file}: an empty zip archive; nothing to read")
    return [Source(file, name) for name in sorted(shown)]


@dataclass(frozen=True)
class Inputs:
    """What the paths of a run led to."""

    sources: tuple[Source, ...]  # of CDRs
    skipped: tuple[str, ...]  # files in folders that hold neither: documents ...
    captures: tuple[Source, ...] = ()  # packet captures


def _is_run(names: Sequence[str]) -> bool:
    """Whether a folder is what a run of simbox left, by the names in it."""
    return {"run.json", "lines.parquet"} <= set(names)


def _files(folder: Path) -> list[Path]:
    """All files below a folder, without hidden ones and the results of earlier runs."""
    files = []
    for place, folders, names in os.walk(folder):
        if Path(place) != folder and _is_run(names):
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(place, n) for n in names if not n.startswith((".", "~$"))]
    return sorted(p for p in files if p.is_file())


def _in_folder(folder: Path) -> Inputs:
    files = _files(folder)
    sources: list[Source] = []
    skipped: list[str] = []
    for file in files:
        if file.suffix.lower() in _NOT_DATA:
            skipped.append(str(file))
        else:
            sources += [replace(s, walked=True) for s in _members(file)]
    if not sources:
        kinds = Counter(p.suffix.lower() or "no suffix" for p in files).most_common(4)
        found = ", ".join(f"{n} {kind}" for kind, n in kinds) or "nothing"
        raise InputError(
            f"{folder}: holds no CDR files and no captures: found {found}; "
            "give the folder of exports"
        )
    return Inputs(tuple(sources), tuple(skipped))


def expand(paths: Sequence[Path | str]) -> Inputs:
    """The sources that paths, folders (all below them) and globs lead to, each once.

    Raises:
        UsageError: no path given.
        InputError: a path leads nowhere, or a folder holds no CDR files and no captures.
    """
    if not paths:
        raise UsageError("no input: give files, folders or patterns")
    sources: list[Source] = []
    skipped: list[str] = []
    for given in paths:
        path = Path(given)
        try:
            if path.is_dir():
                inside = _in_folder(path)
                sources += inside.sources
                skipped += inside.skipped
            elif path.exists():
                sources += _members(path)
            else:
                sources += _globbed(str(given))
        except PermissionError:
            raise InputError(f"{path}: no permission to read it") from None
    once: dict[tuple[Path, str | None], Source] = {}
    for source in sources:
        # one file may be given by several ways to it; named itself it is no stray of a folder
        key = (source.file.resolve(), source.member)
        if key not in once or (once[key].walked and not source.walked):
            once[key] = source
    captures = {source for source in once.values() if is_capture(source)}
    return Inputs(
        tuple(source for source in once.values() if source not in captures),
        tuple(dict.fromkeys(skipped)),
        tuple(source for source in once.values() if source in captures),
    )


def is_capture(source: Source) -> bool:
    """Whether a source is a packet capture, by its first bytes."""
    with source.file.open("rb") as handle:
        first = handle.read(8)
    if source.member is not None or any(first.startswith(magic) for magic in _COMPRESSION):
        try:
            with Stream(source) as stream:
                magic = bytearray(8)
                first = bytes(magic[: stream.fill(memoryview(magic), digest=False)])
        except InputError:  # it cannot be unpacked: whoever reads it says so
            return False
    return _MAGIC.get(first[:4], "").startswith(_CAPTURE)


def _globbed(pattern: str) -> list[Source]:
    has_magic = glob.has_magic(pattern)
    found = sorted(Path(p) for p in glob.glob(pattern, recursive=True))  # noqa: PTH207  # any pattern if has_magic else []
    files = [p for p in found if p.is_file()]
    if not files:
        what = "pattern matches no file" if has_magic else "no such file or folder"
        raise InputError(f"{pattern}: {what}; check the path")
    return [source for file in files for source in _members(file)]
