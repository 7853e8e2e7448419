"""Fakes and contract suites that ship, so that another store, lab or researcher can be held to the same rules."""
