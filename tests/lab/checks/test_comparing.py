import pytest
import torch

from asi_arch.lab.checks.comparing import difference

pytestmark = pytest.mark.torch


def test_the_first_position_and_the_size_of_a_difference_are_named() -> None:
    expected = torch.ones(2, 4, 3)
    seen = expected.clone()
    seen[1, 2, 0] += 0.5
    worst = difference(expected, seen, 0.1)
    assert worst == (1, 2, 0.5, 0.1)


def test_what_comes_after_the_cut_is_not_compared() -> None:
    expected = torch.ones(1, 4, 3)
    seen = expected.clone()
    seen[0, 2] += 1
    assert difference(expected, seen, 0.1, until=torch.tensor([2])) is None
    assert difference(expected, seen, 0.1, until=torch.tensor([3])) is not None


def test_a_later_larger_output_does_not_excuse_an_earlier_difference() -> None:
    expected = torch.ones(1, 5, 1)
    expected[0, 4] = 1e12
    seen = expected.clone()
    seen[0, 1] += 1e-3
    assert difference(expected, seen, 1e-6) is not None


def test_equal_values_are_equal_even_where_they_are_not_finite() -> None:
    odd = torch.tensor([[[torch.nan], [torch.inf], [1.0]]])
    assert difference(odd, odd.clone(), 1e-9) is None
    assert difference(odd, torch.ones(1, 3, 1), 1e-9) is not None
    assert difference(torch.ones(1, 3, 1), odd, 1e-9) is not None


def test_each_row_has_its_own_limit() -> None:
    expected, seen = torch.ones(2, 3, 1), torch.full((2, 3, 1), 1.5)
    worst = difference(expected, seen, torch.tensor([0.1, 1.0]))
    assert worst is not None and worst.row == 0
