"""Special functions, from scipy, which is loaded at the first call: that takes a quarter of a second, and most commands
need none of them.
"""

from typing import Any


def t_cdf(degrees: float, x: float) -> float:
    """P(T <= x) for Student's t with so many degrees of freedom."""
    return float(_scipy().stdtr(degrees, x))


def t_quantile(degrees: float, probability: float) -> float:
    """The x at which `t_cdf` is the probability."""
    return float(_scipy().stdtrit(degrees, probability))


def noncentral_t_cdf(degrees: float, shift: float, x: float) -> float:
    """P(T <= x) for the noncentral t with this shift of the numerator's mean."""
    return float(_scipy().nctdtr(degrees, shift, x))


def normal_quantile(probability: float) -> float:
    """The x below which a standard normal lies with this probability."""
    return float(_scipy().ndtri(probability))


def beta_quantile(a: float, b: float, probability: float) -> float:
    """The x below which a beta variable lies with this probability."""
    return float(_scipy().betaincinv(a, b, probability))


def gamma_quantile(shape: float, probability: float) -> float:
    """The x below which a gamma variable of scale 1 lies with this probability."""
    return float(_scipy().gammaincinv(shape, probability))


def digamma(x: float) -> float:
    """The derivative of log gamma."""
    return float(_scipy().digamma(x))


def polygamma(order: int, x: float) -> float:
    """The derivative of digamma of this order."""
    return float(_scipy().polygamma(order, x))


def _scipy() -> Any:
    from scipy import special  # pyright: ignore[reportMissingTypeStubs]

    return special
