"""The checks in their order, and what each needs to have been passed. `tampering` is looked for after each of them."""

from collections.abc import Callable
from typing import NamedTuple

from asi_arch.domain.outcome import Finding
from asi_arch.lab.checks.batch import check_batch
from asi_arch.lab.checks.construction import check_construct, check_load, check_static
from asi_arch.lab.checks.future import check_future, check_length
from asi_arch.lab.checks.growth import check_growth
from asi_arch.lab.checks.probe import Probe
from asi_arch.lab.checks.repeatability import check_modes, check_repeatable
from asi_arch.lab.checks.size import check_parameters
from asi_arch.lab.checks.stepping import check_step
from asi_arch.lab.checks.surface import check_auxiliary, check_finite, check_gradient, check_shape
from asi_arch.lab.checks.whole import check_model, check_weights


class Check(NamedTuple):
    """One question to a candidate. `run` returns what it found and may raise `Fault`."""

    name: str
    run: Callable[[Probe], list[Finding]]
    needs: tuple[str, ...]
    """Checks without whose success this one would only repeat their complaint, or be run for nothing."""


CHECKS: tuple[Check, ...] = (
    Check("static", check_static, ()),
    Check("load", check_load, ("static",)),
    Check("construct", check_construct, ("load",)),
    Check("shape", check_shape, ("construct",)),
    Check("finite", check_finite, ("shape",)),
    Check("auxiliary", check_auxiliary, ("finite",)),
    Check("repeatable", check_repeatable, ("finite",)),
    Check("modes", check_modes, ("repeatable",)),
    Check("batch", check_batch, ("repeatable",)),
    Check("future", check_future, ("batch",)),
    Check("length", check_length, ("future",)),
    Check("step", check_step, ("repeatable",)),
    Check("weights", check_weights, ("finite",)),
    Check("model", check_model, ("modes", "batch", "future")),
    Check("gradient", check_gradient, ("finite",)),
    Check("growth", check_growth, ("finite",)),
    Check("parameters", check_parameters, ("finite",)),
)

TRAINED_CHECKS: tuple[Check, ...] = (
    Check("load", check_load, ()),
    Check("weights", check_weights, ("load",)),
    Check("finite", check_finite, ("weights",)),
    Check("repeatable", check_repeatable, ("finite",)),
    Check("modes", check_modes, ("repeatable",)),
    Check("batch", check_batch, ("repeatable",)),
    Check("future", check_future, ("batch",)),
    Check("length", check_length, ("future",)),
    Check("step", check_step, ("repeatable",)),
    Check("model", check_model, ("modes", "batch", "future")),
)
"""What is asked again of trained weights: a parameter that moved or a buffer that counted may have opened a way."""
