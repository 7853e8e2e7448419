"""One module for every page: what is read, put into words and numbers for its template."""

from fastapi import APIRouter
from fastapi.responses import Response

from asi_arch.report.highlight import palette
from asi_arch.web.pages import (
    compare,
    experiment,
    experiments,
    gallery,
    mechanisms,
    overview,
    scaling,
    tree,
    trends,
)
from asi_arch.web.render import Pages


def routes(pages: Pages) -> APIRouter:
    """All of them."""
    router = APIRouter()
    for page in (overview, experiments, experiment, tree, trends, mechanisms, compare, gallery, scaling):
        page.add(router, pages)

    @router.get("/code.css")
    def code_css() -> Response:  # pyright: ignore[reportUnusedFunction]
        return Response(_code_css(), media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    return router


def _code_css() -> str:
    """Colours of code, for the theme that the reader has chosen, else for the one that the system prefers."""
    light, dark = palette(is_dark=False), palette(is_dark=True)
    chosen = f':root[data-theme="dark"] {{ {dark} }}\n:root[data-theme="light"] {{ {light} }}'
    return f"{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n{chosen}\n"
