"""Campaigns by others: their files as plain entries, and the entries as a campaign that can be read here.

One module for each format; each returns an `Archive` and knows no store. What is read is others' text: its size is
bounded, it is cleaned where it becomes a name, and none of it is executed or parsed as a program.
"""
