"""Signatures of devices: loading and matching them."""
