"""The application: which address shows what."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, Response

from asi_arch.domain.errors import AsiArchError
from asi_arch.web.gate import Gate
from asi_arch.web.literature import Literature
from asi_arch.web.live import live_routes
from asi_arch.web.pages import routes
from asi_arch.web.reader import Reader
from asi_arch.web.render import Pages

_STATIC = Path(__file__).parent / "static"
_COMPRESSION = 1
"""Of gzip: pages come from this machine or through a tunnel, where time is what counts."""
_WORDS = {404: "There is nothing here.", 405: "These pages can only be read."}


def application(reader: Reader, literature: Literature, *, token: str, port: int) -> FastAPI:
    """All pages about the reader's campaign, behind the gate. The reader is closed with the application."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        reader.close()
        pages.derived.close()

    pages = Pages(reader, literature)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.include_router(routes(pages))
    app.include_router(live_routes(reader, lambda: pages.derived.finished))
    _tell_failures(app, pages)
    reader.begin(lambda: [make() for make in pages.beforehand])
    app.add_middleware(GZipMiddleware, minimum_size=2000, compresslevel=_COMPRESSION)
    app.add_middleware(Gate, token=token, port=port)
    return app


def _tell_failures(app: FastAPI, pages: Pages) -> None:
    """Every failure is a page with a sentence."""

    def told(status: Callable[[Any], int], words: Callable[[Any], str]) -> Callable[[Request, Any], Response]:
        def answer(_: Request, error: Any) -> Response:
            return HTMLResponse(pages.message(words(error)), status(error))

        return answer

    def of_http(error: HTTPException) -> str:
        return _WORDS.get(error.status_code, str(error.detail)) if error.detail in ("Not Found", "") else error.detail

    def unexpected(_: Request, error: Exception) -> Response:
        logging.getLogger(__name__).error("a page failed", exc_info=error)
        return HTMLResponse(
            pages.message("This page failed, which is a mistake of ours; the terminal has details."), 500
        )

    app.add_exception_handler(HTTPException, told(lambda error: error.status_code, of_http))
    app.add_exception_handler(RequestValidationError, told(lambda _: 400, _unreadable))
    app.add_exception_handler(AsiArchError, told(lambda _: 503, str))
    app.add_exception_handler(Exception, unexpected)


def _unreadable(error: RequestValidationError) -> str:
    wrong = ", ".join(str(item["loc"][-1]) for item in error.errors())
    return f"This address has a part that can't be read: {wrong}."
