"""What candidates are trained and measured on, as NumPy arrays: a language corpus and exact synthetic tasks.

The room lives in the controller. It reads text files and keeps a cache folder that it is given; it never imports
torch, never runs candidate code, and every batch is a pure function of profile, data, seed and step.

`catalog.build_tasks` makes the tasks of a profile.
"""
