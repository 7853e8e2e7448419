"""Candidate code is run here, always in another process: checked, trained, scored.

Controller side (no torch): `client`, `checking`, `running`, `parent`, `conversation`, `watch`, `referee`. Children
(torch): `warm`, `child`, `loading`, `worker`, `scorer`, `checks`. Both sides speak `contract` and nothing else. May not
touch the store, keys or the network.
"""
