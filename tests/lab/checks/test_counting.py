import pytest
import torch

from asi_arch.lab.checks.codelines import code_lines
from asi_arch.lab.checks.counting import RoundingWatch, WorkCounter
from asi_arch.lab.checks.growth import growth

pytestmark = pytest.mark.torch


def test_a_matrix_product_costs_two_flops_for_every_multiply_add() -> None:
    a, b = torch.ones(3, 5), torch.ones(5, 7)
    with WorkCounter() as counter:
        _ = a @ b
    assert (counter.calls, counter.flops, counter.elements, counter.largest) == (1, 2 * 3 * 5 * 7, 21, 21)


def test_the_backward_pass_is_counted() -> None:
    a, b = torch.ones(3, 5, requires_grad=True), torch.ones(5, 7, requires_grad=True)
    with WorkCounter() as counter:
        (a @ b).sum().backward()
    assert counter.work["mm"] == 3 * 2 * 3 * 5 * 7 + 3 * 7 + 3 * 5 + 5 * 7


def test_views_cost_nothing_but_reading_through_them_does() -> None:
    row = torch.ones(1, 100)
    with WorkCounter() as counter:
        wide = row.expand(100, 100)
    assert (counter.flops, counter.elements) == (0, 0)
    with WorkCounter() as counter:
        _ = wide.sum(1)
    assert (counter.flops, counter.elements) == (10_000, 100)


def test_writing_into_a_part_costs_that_part() -> None:
    table, rows, index = torch.zeros(1000, 4), torch.ones(2, 4), torch.tensor([3, 5])
    with WorkCounter() as counter:
        table[index] = rows
    assert counter.elements == 8


@pytest.mark.parametrize("columns", [1, 6])
def test_a_triangular_solve_costs_half_of_a_dense_product(columns: int) -> None:
    matrix, right = torch.eye(8).expand(2, 8, 8), torch.ones(2, 8, columns)
    with WorkCounter() as counter:
        torch.linalg.solve_triangular(matrix, right, upper=False)
    assert counter.flops == 2 * 8 * 8 * columns


def test_fused_attention_on_the_cpu_is_counted_as_quadratic() -> None:
    def flops(length: int) -> int:
        q = torch.ones(1, 2, length, 4, requires_grad=True)
        with WorkCounter() as counter:
            torch.nn.functional.scaled_dot_product_attention(q, q, q, is_causal=True).sum().backward()
        return sum(work for name, work in counter.work.items() if name.startswith("_scaled_dot_product"))

    assert flops(64) / flops(32) == pytest.approx(4, rel=0.05)


def test_casting_to_fewer_bits_is_noticed() -> None:
    x = torch.ones(2, dtype=torch.float64)
    with RoundingWatch() as exact:
        _ = (x * 2).exp()
    with RoundingWatch() as rounded:
        _ = x.float() * 2
    assert (exact.has_rounded, rounded.has_rounded) == (False, True)


def test_growth_is_the_exponent_of_a_power() -> None:
    lengths = (64, 128, 256, 512)
    assert growth(lengths, [length**1.5 for length in lengths]) == pytest.approx((1.5, 1.5))
    assert growth(lengths, [7, 7, 7, 7]) == (0, 0)
    last, overall = growth(lengths, [1000 + length**2 for length in lengths])
    assert 1.9 < last < 2 and overall < last


_COMMENTED = '''"""Title.

More.
"""

import math  # why


def f(
    x,
):
    """Doc."""
    # note
    return """a
b"""
'''


def test_code_lines_leave_out_docstrings_comments_and_blanks() -> None:
    assert code_lines(_COMMENTED) == 6
