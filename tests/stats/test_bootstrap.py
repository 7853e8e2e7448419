import numpy as np
import pytest

from asi_arch.domain.errors import UserError
from asi_arch.stats.bootstrap import clustered_difference


def test_rows_of_few_documents_are_worth_less_than_they_are_many():
    rng = np.random.default_rng(0)
    documents = np.repeat(np.arange(10), 40)
    differences = rng.normal(0, 0.1, 10)[documents] + rng.normal(0, 0.01, 400)
    reference = rng.normal(1.6, 0.3, 400)
    by_document = clustered_difference(reference + differences, reference, documents, np.random.default_rng(1))
    by_row = clustered_difference(reference + differences, reference, range(400), np.random.default_rng(1))
    assert by_document.estimate == pytest.approx(by_row.estimate) == pytest.approx(differences.mean())
    assert (by_document.high - by_document.low) > 3 * (by_row.high - by_row.low)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng, hits = np.random.default_rng(2), 0
    for _ in range(200):
        sizes = rng.integers(1, 6, 40)
        documents = np.repeat(np.arange(40), sizes)
        differences = -0.03 + rng.normal(0, 0.02, 40)[documents] + rng.normal(0, 0.02, len(documents))
        found = clustered_difference(differences, np.zeros(len(documents)), documents, rng, draws=400)
        hits += found.low <= -0.03 <= found.high
    assert 0.88 <= hits / 200 <= 0.99


def test_the_same_generator_gives_the_same_interval():
    rows = np.random.default_rng(3).normal(size=(2, 30))
    first, second = (
        clustered_difference(rows[0], rows[1], np.arange(30) // 3, np.random.default_rng(4)) for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize(
    ("rows", "clusters", "message"),
    [
        ([1.0, 2.0], [0], "2 of the candidate, 2 of the baseline, 1 documents"),
        ([1.0, 2.0], [5, 5], "at least 2 of them, got 1"),
        ([], [], "at least 2 of them, got 0"),
    ],
)
def test_rows_that_can_not_be_drawn_by_document_are_refused(rows, clusters, message):
    with pytest.raises(UserError, match=message):
        clustered_difference(rows, rows, clusters, np.random.default_rng(0))
