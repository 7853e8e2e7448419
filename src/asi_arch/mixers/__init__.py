"""Sequence mixers: the op registry, building blocks, the model around a mixer, and the baselines.

The room knows tensors and nothing else: no data, no clock, no files but its own baselines. Importing this package,
or `asi_arch.mixers.baselines`, does not import torch; everything else here does.
"""
