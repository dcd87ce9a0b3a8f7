"""Packet captures into the canonical tables: records, packets, protocols, calls."""
