"""The signatures that come with simbox, for whoever is given none."""

from __future__ import annotations

from functools import cache

from simbox.ingest.capture.signatures.matching import Signatures


@cache
def shipped_signatures() -> Signatures:
    """The signatures that come with simbox."""
    # a process that only reads a capture is given its signatures, and spared what parses files
    from simbox.ingest.capture.signatures.loading import load_signatures  # noqa: PLC0415

    return load_signatures()
