"""The words of the project: frozen records and Protocols.

No input or output, no torch, and no import of another room.
"""
