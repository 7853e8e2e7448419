"""A trained design as a folder that works without this program: source, weights, tokenizer, model card, tests.

Everything here is text and bytes: candidate code is rewritten and never executed, and torch is not needed.
"""
