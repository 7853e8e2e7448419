"""What a campaign found, for people: tables, figures, a page, the terminal, and the same as plain data.

Reads the store and decides nothing. matplotlib, Jinja and rich are imported by the functions that need them, so that a
command which draws nothing does not pay for drawing.
"""
