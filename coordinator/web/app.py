# SPDX-License-Identifier: Apache-2.0
"""The application: every address, who may read it, and what comes of a refusal."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import count

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from coordinator.errors import CoordinatorError, UnknownCeremonyError
from coordinator.web.answering import Desk
from coordinator.web.asked import Asked
from coordinator.web.context import WebContext
from coordinator.web.errors import (
    NoSuchPageError,
    PageBrokenError,
    PageError,
    PagesBusyError,
    PageTooLargeError,
)
from coordinator.web.guard import HEADERS, Guard
from coordinator.web.page import Download, File, Page, Pieces
from coordinator.web.showing import DOWNLOADS, HOME, PAGES
from coordinator.web.statics import statics
from coordinator.web.streaming import Streams
from coordinator.web.templating import LARGEST_PAGE, Frame, render
from coordinator.web.viewer import NotSignedInError, Viewer
from quorumseal.refusal import Refusal

_MOST_WAITS, _WAIT = 50, 0.1
_log = logging.getLogger(__name__)
Viewers = Callable[[Request], Viewer]
"""Says who looks, or raises ``NotSignedInError``; it may block, and is called in a thread."""


def make_app(context: WebContext, viewers: Viewers, more: Sequence[BaseRoute] = ()) -> Starlette:
    """Return the pages as an ASGI application; ``more`` are the addresses at which people sign in."""
    pages = _Pages(context, viewers, Desk())
    routes: list[BaseRoute] = [Route("/", _home), Route("/static/{name}", _static), *more]
    routes.append(Route("/stream", pages.stream))
    routes += [Route(page.path, partial(pages.show, page)) for page in PAGES]
    routes += [Route(download.path, partial(pages.keep, download)) for download in DOWNLOADS]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        pages.close()

    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard)],
        exception_handlers={HTTPException: pages.unknown, Exception: pages.unforeseen},
        lifespan=lifespan,
    )


class _Pages:
    """Makes pages for those who may see them."""

    def __init__(self, context: WebContext, viewers: Viewers, desk: Desk) -> None:
        self._context = context
        self._viewers = viewers
        self._desk = desk
        self._streams = Streams(context.live)

    async def show(self, page: Page, request: Request) -> Response:
        """Answer with a page, or with one that says why there is none."""
        return await self._answer(request, page.here, lambda viewer: self._html(page, viewer, request))

    async def keep(self, download: Download, request: Request) -> Response:
        """Answer with a file."""
        return await self._answer(request, "", lambda _: self._kept(download, request))

    async def stream(self, request: Request) -> Response:
        """Answer with what tells a script of news."""
        return await self._answer(request, "", lambda viewer: self._listen(viewer, request))

    async def unknown(self, request: Request, error: Exception) -> Response:
        """Say that there is no such page."""
        status = error.status_code if isinstance(error, HTTPException) else 404
        refusal = NoSuchPageError(f"expected the address of a page, got {request.url.path!r}")
        return await self._desk.make(lambda: self._sorry(refusal, status, None, ""))

    async def unforeseen(self, _: Request, __: Exception) -> Response:
        """Say that something is wrong here, and nothing about what; the guard stands behind this."""
        return PlainTextResponse(
            "the page could not be made\n", 500, {**HEADERS, "Cache-Control": "no-store"}
        )

    def close(self) -> None:
        """Make no more pages."""
        self._desk.close()
        self._context.measuring.close()

    async def _answer(self, request: Request, here: str, make: Callable[[Viewer], Response]) -> Response:
        try:
            return await self._desk.make(lambda: self._made(request, here, make))
        except PageError as refusal:
            return self._sorry(refusal, refusal.status, None, here)
        except Exception:
            _log.exception("unforeseen error in making a page")
            return self._sorry(
                PageBrokenError("expected a page, got an error of the coordinator"), 500, None, here
            )

    def _made(self, request: Request, here: str, make: Callable[[Viewer], Response]) -> Response:
        viewer: Viewer | None = None
        try:
            viewer = self._viewers(request)
            self._context.policies.catch_up()
            return make(viewer)
        except NotSignedInError as error:
            return error.response or self._stranger(error)
        except Refusal as refusal:
            return self._sorry(refusal, _status(refusal), viewer, here)

    def _html(self, page: Page, viewer: Viewer, request: Request) -> Response:
        shown = page.read(self._context, _asked(request))
        frame = self._frame(viewer, page.here)
        return _bounded(render(page.template, frame, page=shown), 200)

    def _kept(self, download: Download, request: Request) -> Response:
        file = download.read(self._context, _asked(request))
        if isinstance(file, File):
            return _attached(file.name, Response(file.data, media_type=file.media_type))
        pieces = self._pieces(file) if request.method == "GET" else ()
        headers = {"Content-Length": str(file.size)}
        answer = StreamingResponse(pieces, media_type="application/octet-stream", headers=headers)
        return _attached(file.name, answer)

    async def _pieces(self, file: Pieces) -> AsyncIterator[bytes]:
        """Yield one at a time, as fast as it is taken: no more than one of a file is ever held."""
        for number in count():
            piece = await self._in_time(partial(file.piece, number))
            if piece is None:
                return
            yield piece

    async def _in_time(self, work: Callable[[], bytes | None]) -> bytes | None:
        """Wait for a place at the desk: nobody can be told any more that there is none."""
        for _ in range(_MOST_WAITS):
            try:
                return await self._desk.make(work)
            except PagesBusyError:
                await asyncio.sleep(_WAIT)
        return await self._desk.make(work)

    def _listen(self, viewer: Viewer, request: Request) -> Response:
        asked = _asked(request)
        asked.allow("ceremony")
        ceremony = asked.ceremony_asked("ceremony")
        who = f"{viewer.kind} {viewer.name}"
        self._streams.require_room(who)
        headers = {"X-Accel-Buffering": "no"}  # a proxy that kept it would keep everybody waiting
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=headers)
        events = self._streams.listen(who, ceremony)
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    def _sorry(self, refusal: Refusal, status: int, viewer: Viewer | None, here: str) -> Response:
        return _bounded(
            render("sorry.html", self._frame(viewer, here), refusal=refusal, status=status), status
        )

    def _stranger(self, error: NotSignedInError) -> Response:
        return _bounded(render("stranger.html", self._frame(None, ""), error=error), error.status)

    def _frame(self, viewer: Viewer | None, here: str) -> Frame:
        policy = self._context.policies.newest.policy
        return Frame(
            organisation=policy.organisation,
            drill=policy.drill,
            viewer=viewer,
            at=self._context.now(),
            here=here,
        )


async def _home(_: Request) -> Response:
    return RedirectResponse(HOME, 307)


async def _static(request: Request) -> Response:
    for static in statics().values():
        if static.name == request.path_params["name"]:
            kept = {"Cache-Control": "public, max-age=31536000, immutable"}
            return Response(static.data, media_type=static.media_type, headers=kept)
    raise HTTPException(404)


def _asked(request: Request) -> Asked:
    return Asked(request.path_params, dict(request.query_params))


def _bounded(html: str, status: int) -> Response:
    data = html.encode()
    if len(data) > LARGEST_PAGE:
        raise PageTooLargeError(f"expected a page of at most {LARGEST_PAGE} bytes, got {len(data)}")
    return HTMLResponse(data, status)


def _attached(name: str, answer: Response) -> Response:
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _status(refusal: Refusal) -> int:
    match refusal:
        case PageError():
            return refusal.status
        case UnknownCeremonyError():
            return 404
        case CoordinatorError(retryable=True):
            return 503
        case _:
            return 409
