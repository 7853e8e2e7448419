"""Numbers in, verdict out: paired and moderated tests, power, evidence, multiplicity, promotion, and their words.

No input or output, no other room but `domain`, and no randomness but a generator that is passed in.
"""
