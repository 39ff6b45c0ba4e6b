# SPDX-License-Identifier: Apache-2.0
"""The settings of the pages: their port, their certificate, and the provider by whom people sign in."""

from collections.abc import Callable, Iterator
from datetime import datetime

from coordinator.examining.addresses import listenable
from coordinator.examining.certificates import server
from coordinator.examining.enrolment import Place
from coordinator.examining.files import secret, secret_line
from coordinator.named_files import read_client_secret
from coordinator.notifying.connecting import tls_context
from coordinator.pages_settings import PagesSettings, SignInSettings
from coordinator.server import require_pair
from coordinator.settings import Settings
from quorumseal.refusal import Refusal
from quorumseal.terminal.findings import Finding, fine, warning, wrong

Sound = Callable[..., bool]
_EXTRA = ("jinja2", "joserfc", "starlette", "uvicorn")
_LEAST_SECRET = 16


def look(
    place: Place, sound: Sound, settings: Settings, pages: PagesSettings, *, at: datetime
) -> Iterator[Finding]:
    """Look at everything that the section names."""
    yield installed(place("pages"))
    if sound("pages.listen", "listen", "metrics"):
        yield from _port(place("pages.listen"), settings, pages)
    if pages.key is not None and pages.certificate is not None and sound("pages.certificate", "pages.key"):
        yield secret(place("pages.key"), pages.key)
        try:
            require_pair(settings.pages_tls)
        except Refusal as refusal:
            yield wrong(place("pages.certificate"), str(refusal).partition(": ")[2], refusal.hint)
        listen = pages.listen if sound("pages.listen") else ""
        yield from server(place("pages.certificate"), pages.certificate, listen, at=at)
    if pages.sign_in is not None and sound("pages.sign_in"):
        yield from _sign_in(place, pages.sign_in)


def installed(about: str) -> Finding:
    """Judge whether what the pages are made with is there."""
    from importlib.util import find_spec

    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        text = f"expected what the pages are made with, got no {', '.join(missing)}"
        return wrong(about, text, "install the extra: pip install 'quorumseal[coordinator,pages]'")
    return fine(about, "what the pages are made with is installed")


def _port(about: str, settings: Settings, pages: PagesSettings) -> Iterator[Finding]:
    others = {settings.listen: "listen", settings.metrics: "metrics.listen"}
    if pages.listen in others and not pages.listen.endswith(":0"):
        text = f"expected another address than {others[pages.listen]}, got {pages.listen}"
        yield wrong(about, text, "name another port")
    else:
        yield listenable(about, pages.listen)


def _sign_in(place: Place, sign_in: SignInSettings) -> Iterator[Finding]:
    about = place("pages.sign_in.client_secret_file")
    findings, line = secret_line(about, sign_in.client_secret_file, read_client_secret)
    yield from findings
    if 0 < len(line) < _LEAST_SECRET:
        text = f"expected a secret of {_LEAST_SECRET} characters or more, got {len(line)}"
        yield warning(about, text, "have the provider make a longer one")
    if sign_in.authorities is not None:
        try:
            tls_context(sign_in.authorities)
        except OSError as error:
            text = f"expected certificates of the provider's authorities, got {error}"
            yield wrong(place("pages.sign_in.authorities"), text, "name a file of certificates, in PEM")
