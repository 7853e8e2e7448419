"""Candidate code is run here, always in another process: checked, trained, scored.

Controller side (no torch): `client`, `parent`, `conversation`, `watch`, `referee`. Children's side (torch): `warm`, `child`,
`worker`, `scorer`, `checks`. Both sides speak `contract` and nothing else. May not touch the store, keys or the network.
"""
