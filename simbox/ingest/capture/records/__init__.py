"""Capture files: their formats, record by record."""
