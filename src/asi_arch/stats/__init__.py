"""Numbers in, verdict out: paired comparisons, seed noise, multiplicity, shrinkage, and the words for them.

No input or output, no randomness, and no other room but `domain`.
"""
