"""Pictures of a campaign. Each function takes a digest (or curves) and returns a matplotlib figure; none reads a store.

Import this package only where something is drawn: it loads matplotlib.
"""
