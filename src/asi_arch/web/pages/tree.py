"""The tree of experiments: a page with a canvas, and the nodes with their places as JSON."""

from typing import Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, JSONResponse

from asi_arch.domain.experiment import Summary
from asi_arch.report.series.tree import TreeNode, lay_out
from asi_arch.web.pages.experiments import mechanisms_of
from asi_arch.web.render import Pages

FIELDS = (
    "index",
    "parent",
    "name",
    "outcome",
    "author",
    "fitness",
    "loss",
    "difference",
    "mechanisms",
    "layered",
    "radial",
)
"""What stands where in a node of /tree.json; places are in thousandths of the unit square, y downwards."""
_DECIMALS = 4


def add(router: APIRouter, pages: Pages) -> None:
    """The pages /tree and /tree.json."""

    @router.get("/tree")
    def tree(node: int | None = Query(None, ge=0, le=10**9)) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        standing = pages.reader.standing()
        count = len(standing.summaries)
        return HTMLResponse(pages.html("tree", standing, here="/tree", title="Tree", count=count, node=node))

    @router.get("/tree.json")
    def nodes() -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        return JSONResponse(_content(pages))


def _content(pages: Pages) -> dict[str, Any]:
    standing = pages.reader.standing()
    summaries, known = standing.summaries, mechanisms_of(pages)
    reference = next((s.language_loss for s in summaries.values() if s.name == standing.yardstick.reference), None)
    laid = lay_out(standing.lineage)
    return {
        "number": standing.number,
        "fields": FIELDS,
        "score": "score" if standing.campaign.origin else "fitness",
        "reference": standing.yardstick.reference if reference is not None else None,
        "nodes": [_node(node, summaries[node.index], reference, known.get(node.index, ())) for node in laid.nodes],
    }


def _node(node: TreeNode, summary: Summary, reference: float | None, mechanisms: tuple[str, ...]) -> list[Any]:
    loss = summary.language_loss
    return [
        node.index,
        node.parent,
        summary.name,
        summary.outcome,
        summary.author.value,
        _rounded(summary.fitness),
        _rounded(loss),
        _rounded(None if loss is None or reference is None else loss - reference),
        " ".join(mechanisms),
        [round(1000 * node.layered.x), round(1000 * (1 - node.layered.y), 1)],
        [round(1000 * node.radial.x, 1), round(1000 * (1 - node.radial.y), 1)],
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DECIMALS)
