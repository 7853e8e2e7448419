"""(Summaries, randomness) -> choice: what an experiment is worth, whose child the next one is, and whose idea.

No input or output, no store, and no other room but `domain`.
"""
