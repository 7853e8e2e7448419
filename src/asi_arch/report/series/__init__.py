"""What figures, tables and pages show of a campaign, as numbers: one source for all of them.

Functions take a `Digest` (or lines of it) and return frozen named tuples. Nothing is drawn here, nothing is read from a
store, and everything is fast enough to be asked for again while a campaign of 10,000 experiments runs. What a campaign
has no data for is None or empty, and `missing` says why.
"""
