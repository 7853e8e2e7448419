"""(Summaries, randomness) -> choice: what an experiment is worth, and whose child the next one is.

No input or output, no store, and no other room but `domain`.
"""
