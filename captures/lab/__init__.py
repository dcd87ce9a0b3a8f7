"""Invented traffic in virtual time: emulators that know nothing of simbox, and a fast writer."""
