"""The two requests of an unsubscribe link, and the page that people see.

A mail program posts (RFC 8058: `List-Unsubscribe=One-Click`, whatever else it sends is not looked at). A person follows
the link: that is a GET, which changes nothing, for scanners of mail follow links too; the page's button posts.
"""

import base64
import hashlib
from html import escape
from typing import Final, NamedTuple

from fastapi import FastAPI, Request, Response
from starlette.responses import HTMLResponse

from orchestrator.gateway.description import KEYLESS, UNSUBSCRIBE_PAGES, UNSUBSCRIBED_PAGES
from orchestrator.gateway.refusals import Refusal, Unknown
from orchestrator.gateway.unsubscribing import Unsubscribing

PATH: Final = "/unsubscribe"
_STYLE: Final = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}"
    "button{font:inherit;padding:.5rem 1.2rem}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class _Words(NamedTuple):
    question: str
    button: str
    done: str
    unknown: str
    later: str


_WORDS: Final = {
    "en": _Words(
        "Do you want to receive no more of these messages?",
        "Unsubscribe",
        "Done. You will receive no more of these messages.",
        "This link is not complete, or too old. Please take the one in our newest message, or reply to it.",
        "This did not work just now. Please try again in a minute.",
    ),
    "fr": _Words(
        "Souhaitez-vous ne plus recevoir ces messages ?",
        "Se désabonner",
        "C'est fait. Vous ne recevrez plus ces messages.",
        "Ce lien est incomplet ou trop ancien. Utilisez celui de notre dernier message, ou répondez-y.",
        "Cela n'a pas fonctionné. Merci de réessayer dans une minute.",
    ),
    "de": _Words(
        "Möchten Sie diese Nachrichten nicht mehr erhalten?",
        "Abmelden",
        "Erledigt. Sie erhalten diese Nachrichten nicht mehr.",
        "Dieser Link ist unvollständig oder zu alt. Nehmen Sie den aus unserer neuesten Nachricht, oder antworten Sie.",
        "Das hat gerade nicht geklappt. Bitte versuchen Sie es in einer Minute noch einmal.",
    ),
    "es": _Words(
        "¿Desea dejar de recibir estos mensajes?",
        "Darse de baja",
        "Hecho. Ya no recibirá estos mensajes.",
        "Este enlace está incompleto o es demasiado antiguo. Use el de nuestro último mensaje, o respóndalo.",
        "No ha funcionado. Inténtelo de nuevo dentro de un minuto.",
    ),
}


def add_unsubscribe(app: FastAPI, unsubscribing: Unsubscribing) -> None:
    """Add both routes. They need no key: the token is one."""

    @app.get(
        PATH,
        response_class=HTMLResponse,
        responses=UNSUBSCRIBE_PAGES,
        summary="The page of an unsubscribe link",
        tags=["unsubscribe"],
        openapi_extra=KEYLESS,
    )
    async def ask(request: Request, token: str = "") -> Response:
        """Asks whether to unsubscribe; changes nothing."""
        language, words = _words(request)
        try:
            unsubscribing.known(token)
        except Unknown as refusal:
            return _page(language, words.unknown, status=refusal.status)
        form = f'<form method="post" action="?token={escape(token)}"><button>{escape(words.button)}</button></form>'
        return _page(language, words.question, form)

    @app.post(
        PATH,
        response_class=HTMLResponse,
        responses=UNSUBSCRIBED_PAGES,
        summary="Unsubscribe, in one click (RFC 8058)",
        tags=["unsubscribe"],
        openapi_extra=KEYLESS,
    )
    async def leave(request: Request, token: str = "") -> Response:
        """200 means that Kafka has acknowledged the channel's event `unsubscribed`. The same link counts once."""
        language, words = _words(request)
        try:
            await unsubscribing.leave(token)
        except Unknown as refusal:
            return _page(language, words.unknown, status=refusal.status)
        except Refusal as refusal:
            wait = max(1, -int(-(refusal.retry_after or 1.0) // 1))
            return _page(language, words.later, status=refusal.status, retry_after=wait)
        return _page(language, words.done)


def _words(request: Request) -> tuple[str, _Words]:
    """The first language that the reader's browser asks for and that is spoken here; browsers list them by liking."""
    for wanted in request.headers.get("accept-language", "").split(",")[:10]:
        language = wanted.strip()[:2].lower()
        if language in _WORDS:
            return language, _WORDS[language]
    return "en", _WORDS["en"]


def _page(language: str, text: str, more: str = "", *, status: int = 200, retry_after: int = 0) -> Response:
    html = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<title>{escape(text)}</title><style>{_STYLE}</style></head><body><p>{escape(text)}</p>{more}</body></html>"
    )
    headers = {"content-security-policy": _POLICY} | ({"retry-after": str(retry_after)} if retry_after else {})
    return Response(html, status, headers, "text/html; charset=utf-8")
