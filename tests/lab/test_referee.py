import numpy as np
import pytest

from asi_arch.domain.ports import NO_TARGET, Batch
from asi_arch.domain.profile import Split
from asi_arch.lab.referee import BadHidden, Referee

B, T, D, V = 6, 5, 8, 11


@pytest.fixture
def weights() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "embedding.weight": rng.normal(size=(V, D)).astype(np.float32),
        "norm.weight": rng.normal(size=D).astype(np.float32),
    }


@pytest.fixture
def batch() -> Batch:
    rng = np.random.default_rng(1)
    targets = rng.integers(0, V, (B, T), dtype=np.int32)
    targets[:, :2] = NO_TARGET
    return Batch(np.zeros((B, T), np.int32), targets, np.arange(B, dtype=np.int32) % 2)


def _hidden() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(B, T, D)).astype(np.float32)


@pytest.mark.torch
def test_the_loss_is_that_of_the_model_itself(weights: dict[str, np.ndarray], batch: Batch) -> None:
    import torch

    from asi_arch.mixers.model import NORM_EPS

    x = torch.tensor(_hidden(), dtype=torch.float64)
    x = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + NORM_EPS) * torch.tensor(weights["norm.weight"]).double()
    logits = x @ torch.tensor(weights["embedding.weight"]).double().T
    targets = torch.tensor(batch.targets).long()
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=NO_TARGET)

    referee = Referee(weights, batch, ("even", "odd"))
    referee.take(_hidden()[:4])
    referee.take(_hidden()[4:])
    score = referee.result(Split.VALIDATION)
    assert score.loss_nats == pytest.approx(float(expected), rel=1e-12)
    hits = (logits.argmax(-1) == targets)[:, 2:].double()
    assert score.groups["even"].accuracy == pytest.approx(float(hits[::2].mean()))
    assert score.accuracy == pytest.approx((float(hits[::2].mean()) + float(hits[1::2].mean())) / 2)
    assert np.mean(score.rows) == pytest.approx(score.loss_nats, rel=1e-5)


def test_a_model_that_says_nothing_hits_nothing_special(weights: dict[str, np.ndarray], batch: Batch) -> None:
    referee = Referee(weights, batch, ("even", "odd"))
    referee.take(np.zeros((B, T, D), np.float32))
    score = referee.result(Split.VALIDATION)
    assert score.loss_nats == pytest.approx(np.log(V))
    assert score.accuracy < 0.5


def test_missing_rows_are_no_score(weights: dict[str, np.ndarray], batch: Batch) -> None:
    referee = Referee(weights, batch, ("even", "odd"))
    referee.take(_hidden()[:4])
    with pytest.raises(BadHidden, match="4 of 6 rows"):
        referee.result(Split.VALIDATION)


@pytest.mark.parametrize("bad", [np.full((B, T, D), np.nan, np.float32), np.zeros((B, T, D + 1), np.float32)])
def test_what_is_not_finite_or_has_another_shape_is_no_score(
    weights: dict[str, np.ndarray], batch: Batch, bad: np.ndarray
) -> None:
    with pytest.raises(BadHidden):
        Referee(weights, batch, ("even", "odd")).take(bad)
