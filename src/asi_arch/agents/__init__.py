"""Minds of the loop that need no language model: researcher (composer), judge and analyst.

Agents are pure functions of what they are given: no clock, no files but their own templates, no network, no torch.
Candidate code is text to them.
"""
