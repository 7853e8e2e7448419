import re

import numpy as np
import pytest

from asi_arch.report.digest import digest
from asi_arch.report.figures import colour, style
from asi_arch.report.figures.course import course_figure
from asi_arch.report.figures.curves import published_curves
from asi_arch.report.figures.mechanisms import SHOWN, mechanism_pairs, mechanism_use
from asi_arch.report.figures.parameters import parameter_counts
from asi_arch.report.figures.phylogeny import layered, radial
from asi_arch.report.figures.pool import pool_figure
from asi_arch.report.figures.progress import progress
from asi_arch.report.figures.scaling import discovery_curve
from asi_arch.testing.records import make_experiment, make_proposal

FIGURES = (discovery_curve, radial, layered, mechanism_use, mechanism_pairs, parameter_counts, course_figure)


def texts(figure):
    return " ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def test_a_figure_is_the_same_bytes_in_every_format_whenever_it_is_drawn(campaign):
    first, second = (style.rendered(discovery_curve(digest(campaign)), list(style.FORMATS)) for _ in range(2))
    assert first == second


def test_letters_stay_letters_in_vector_formats(campaign):
    found = style.rendered(discovery_curve(digest(campaign)), ["svg", "pdf"])
    assert b"Discoveries against compute</text>" in found["svg"]
    assert not re.search(rb"<dc:date>|CreationDate", found["svg"] + found["pdf"])
    assert b"/FontFile2" in found["pdf"]
    assert b"/Subtype /Type3" not in found["pdf"]


@pytest.mark.parametrize("figure", FIGURES)
def test_young_campaigns_have_figures_that_say_why_they_are_empty(young, figure):
    assert texts(figure(digest(young)))


@pytest.mark.parametrize("figure", [*FIGURES, pool_figure, progress, published_curves])
def test_imported_campaigns_have_every_figure_or_a_sentence(imported, figure):
    assert texts(figure(digest(imported)))


def test_discoveries_are_drawn_beside_what_luck_would_give(campaign):
    found = texts(discovery_curve(digest(campaign)))
    assert "least squares: " in found
    assert "by luck alone, if all were as good as the reference" in found
    assert "promoted by verify (0)" in found


def test_trees_name_their_roots_and_the_best(campaign):
    for figure in (radial, layered):
        found = texts(figure(digest(campaign)))
        assert all(name in found for name in campaign.campaign().profile.search.baselines)
        assert "with the ring" in found


def test_leaves_of_a_crowded_fan_do_not_cover_each_other(store_of):
    found = digest(store_of(fitness={}))
    root = found.lines[0]
    leaves = (root._replace(summary=root.summary._replace(index=i, parent=0, fitness=0.5)) for i in range(3, 803))
    (ax,) = (axes for axes in radial(found._replace(lines=(root, *leaves))).axes if axes.get_title(loc="left"))
    spots = max((np.asarray(dots.get_offsets()) for dots in ax.collections), key=len)
    gaps = np.linalg.norm(spots[:, None] - spots[None, :], axis=2) + np.eye(len(spots))
    across, dot = 7.6 * 72, 2.9
    assert gaps.min() * across >= dot


def test_the_most_used_mechanisms_are_shown_and_the_rest_is_counted(store_of):
    def made_of(index, *names):
        return make_experiment(index, make_proposal(f"idea {index}", parent=0).model_copy(update={"mechanisms": names}))

    many = [f"m{number:02d}" for number in range(SHOWN + 3)]
    campaign = digest(store_of(made_of(1, *many), made_of(3, "m05"), fitness={1: 0.9, 3: 0.8}))
    shares, _ = mechanism_use(campaign).axes
    assert [label.get_text() for label in shares.get_yticklabels()][:2] == ["m05", "m00"]
    assert len(shares.get_yticklabels()) == SHOWN
    assert "3 rarer ones not shown" in shares.get_xlabel()


def test_own_parameters_are_said_to_be_matched_and_published_ones_to_be_published(campaign, imported):
    assert "parameters of one mixer" in texts(parameter_counts(digest(campaign)))
    assert "parameters of the whole model, millions" in texts(parameter_counts(digest(imported)))


def test_colours_go_by_rank():
    found = colour.ranked([0.0, 0.1, 0.2, 0.9, 0.91, 0.92, 1.0])
    positions = [float(found.scale.norm(value)) for value in found.ticks]
    assert positions == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert colour.ranked([]) is None
    assert colour.ranked([0.5, 0.5]).ticks == (0.5,)
