"""The loop: one experiment (`cycle`), many of them (`campaign`), and the second look at the best (`verify`).

Everything concrete is handed in as a port; this room knows no database, no tensor and no terminal.
"""
