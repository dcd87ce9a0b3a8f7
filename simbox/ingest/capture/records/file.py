"""Capture files record by record, in batches of columns and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np

from simbox.errors import InputError
from simbox.ingest.capture.packets.columns import PAD, Frames, Octets
from simbox.ingest.capture.records.pcap import FILE_HEADER, MAGICS, Pcap
from simbox.ingest.capture.records.pcapng import SECTION, Pcapng, is_section
from simbox.ingest.capture.records.walk import Damage, Format, Found
from simbox.ingest.sources import Source, Stream

BATCH_OCTETS = 8 << 20  # larger ones leave the processor's cache, smaller ones cost more calls


class CaptureFile:
    """An open capture file, iterated once as batches of frames.

    Every batch has a buffer of its own.  What cannot be read any more is no error: ``damage``
    tells, once the iteration has ended, where the file ceased to make sense.
    """

    def __init__(self, stream: Stream, batch: int = BATCH_OCTETS, *, digest: bool = False) -> None:
        """A capture by its stream, of which nothing has been read.

        With ``digest`` the file's SHA-256 is computed while it is read, at about the cost of
        decoding it; without, ``sha256`` reads the file once more.

        Raises:
            InputError: it is no packet capture, or cannot be unpacked.
        """
        self.damage: Damage | None = None
        self.frames = 0  # frame numbers given so far
        self.position = 0  # octets read so far, of the unpacked file, up to a whole record
        self._stream = stream
        self._batch = batch
        self._digest = digest
        head = np.empty(FILE_HEADER, np.uint8)
        self._carried: Octets = head[: stream.fill(head.data, digest=digest)]
        self._format = self._recognised(self._carried.tobytes())

    def _recognised(self, head: bytes) -> Format | None:
        source = self._stream.source
        if not is_capture(head):
            if self._stream.trouble is not None:
                raise self._stream.trouble
            raise InputError(f"{source.path}: not a packet capture; give a pcap or pcapng file")
        if head.startswith(SECTION):
            return Pcapng()
        if len(head) < FILE_HEADER:
            return None
        self._carried = self._carried[FILE_HEADER:]
        self.position = FILE_HEADER
        return Pcap(head)

    @property
    def source(self) -> Source:
        return self._stream.source

    @property
    def format(self) -> str:
        """``pcap`` or ``pcapng``."""
        return self._format.name if self._format is not None else "pcap"

    def __iter__(self) -> Iterator[Frames]:
        if self._format is None:
            self.damage = Damage(0, "it ends inside its header")
            return
        needed, whole = 0, True
        while whole and self.damage is None:
            data, end, whole = self._stretch(max(self._batch, needed))
            found = self._format.walk(data, end)
            needed = found.needed
            if found.records is not None:
                yield self._frames(data[: end + PAD], found)
            self.frames += found.numbers
            self.position += found.after
            self._carried = data[found.after : end]
            if found.damage:
                self.damage = Damage(self.position, found.damage)
        if self.damage is None:
            self.damage = self._end()

    def _stretch(self, size: int) -> tuple[Octets, int, bool]:
        """What was carried over and the next octets of the file, PAD zero octets behind."""
        carried = len(self._carried)
        data = np.empty(max(size, carried) + PAD, np.uint8)
        data[:carried] = self._carried
        wanted = max(size, carried) - carried
        got = self._stream.fill(data.data[carried : carried + wanted], digest=self._digest)
        data[carried + got : carried + got + PAD] = 0
        return data, carried + got, got == wanted

    def _frames(self, data: Octets, found: Found) -> Frames:
        records = found.records
        assert records is not None  # noqa: S101  # for the type checker
        return Frames(
            data=data,
            start=records.start,
            captured=records.captured,
            wire=records.wire,
            time=records.time,
            number=records.number + (self.frames + 1),
            link=records.link,
        )

    def _end(self) -> Damage | None:
        """What is wrong with a file that has been read to its end."""
        if self._stream.trouble is not None:
            return Damage(self.position, str(self._stream.trouble))
        if len(self._carried):
            return Damage(self.position, "it ends inside a record")
        return None

    def tell(self) -> int:
        """Octets of the file on disk that have been read."""
        return self._stream.tell()

    def sha256(self) -> str:
        """The SHA-256 of the file as it lies on disk; reads what has not been read."""
        rest = memoryview(bytearray(1 << 20))
        while self._digest and self._stream.fill(rest):
            pass
        return self._stream.sha256()

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_capture(first: bytes) -> bool:
    """Whether a file that begins with these octets, unpacked, is a packet capture."""
    return first[:4] in MAGICS or is_section(first)


def open_capture(source: Source, batch: int = BATCH_OCTETS, *, digest: bool = False) -> CaptureFile:
    """A capture file, plain or packed, opened for one iteration.

    Args:
        source: the file, or the member of a zip archive.
        batch: about how many octets of the unpacked file one batch holds.
        digest: whether to compute the file's SHA-256 while it is read.

    Raises:
        InputError: it cannot be opened, or is no packet capture.
    """
    try:
        stream = Stream(source)
    except PermissionError:
        raise InputError(f"{source.path}: no permission to read it") from None
    try:
        return CaptureFile(stream, batch, digest=digest)
    except BaseException:
        stream.close()
        raise
