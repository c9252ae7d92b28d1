"""`orchestrator deliver`: the process that sends messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NoReturn
from urllib.parse import urlsplit

import typer

from orchestrator.cli.errors import UserError
from orchestrator.cli.leaving import leave, leave_when_told
from orchestrator.cli.options import Bootstrap, Config, TopicsDir  # noqa: TC001 - typer reads the annotations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.cli.settings import DeliverySettings, Settings, SmtpSettings, WebhookSettings
    from orchestrator.delivery.render.message import Site
    from orchestrator.delivery.run import Parts
    from orchestrator.delivery.ways import MailWay, Way, WebhookWay
    from orchestrator.stream.topics import TopicDeclaration

_HELP = """
Send what the scenarios decided: e-mail over SMTP (delivery.smtp), every other channel by a signed webhook
(delivery.webhooks.CHANNEL.url). Run as many as you like; they share the work by partitions.

What cannot be sent now is tried again, at growing intervals, until the message's time is over. How each message
ended (delivered, bounced, failed, expired, withdrawn) is an event of its channel. /metrics is on
delivery.metrics_port.
"""

SiteUrl = Annotated[
    str | None,
    typer.Option(
        "--site-url", help="Where links like /offers/7 in messages lead, as https://shop.example.", show_default=False
    ),
]
UnsubscribeUrl = Annotated[
    str | None,
    typer.Option(
        "--unsubscribe-url",
        help="Takes the one-click POST (RFC 8058) of marketing mail. [default: SITE_URL/unsubscribe]",
        show_default=False,
    ),
]
TokenHosts = Annotated[
    list[str] | None,
    typer.Option(
        "--token-host",
        help="A host whose links get the customer's token; repeat it for more. [default: every host]",
        show_default=False,
    ),
]
Senders = Annotated[
    list[str] | None,
    typer.Option(
        "--sender",
        help="NAME=MAILBOX: what a sender's name stands for, as 'ag-1=Ana <ana@shop.example>'; repeat it for more.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    app.command("deliver", help=_HELP, short_help="Send what was decided: e-mail, webhooks.")(deliver)


def deliver(
    site_url: SiteUrl = None,
    unsubscribe_url: UnsubscribeUrl = None,
    token_host: TokenHosts = None,
    sender: Senders = None,
    bootstrap: Bootstrap = None,
    topics_dir: TopicsDir = None,
    config: Config = None,
) -> None:
    leave_when_told()
    from orchestrator.cli.sources import load_settings  # noqa: PLC0415  # --help does without

    overrides = {
        "kafka.bootstrap": bootstrap,
        "topics_dir": topics_dir,
        "delivery.site_url": site_url,
        "delivery.unsubscribe_url": unsubscribe_url,
        "delivery.token_hosts": tuple(token_host) if token_host else None,
        "delivery.senders": _senders(sender) if sender else None,
    }
    settings = load_settings(config, overrides)
    _run(settings, _site(settings.delivery))


def _site(delivery: DeliverySettings) -> Site:
    """Where the links of messages lead.

    Raises:
        UserError: an address of the settings is no whole one.
    """
    from orchestrator.delivery.render.links import EVERY_HOST  # noqa: PLC0415
    from orchestrator.delivery.render.message import Site  # noqa: PLC0415

    base_url, unsubscribe_url, hosts = delivery.site_url, delivery.unsubscribe_url, delivery.token_hosts
    for name, url in (("site_url", base_url), ("unsubscribe_url", unsubscribe_url)):
        whole = urlsplit(url).scheme in {"http", "https"} and urlsplit(url).hostname
        if url and not (whole and url.isascii() and url.isprintable() and " " not in url):
            raise UserError(f"delivery.{name} must be a whole address, as https://shop.example")
    if base_url and not unsubscribe_url:
        unsubscribe_url = f"{base_url.rstrip('/')}/unsubscribe"
    return Site(base_url=base_url, unsubscribe_url=unsubscribe_url, hosts=hosts or (EVERY_HOST,))


def _senders(given: Sequence[str]) -> dict[str, str]:
    senders = {}
    for each in given:
        name, equals, mailbox = each.partition("=")
        if not equals or not name:
            raise UserError("--sender must read NAME=MAILBOX, as 'ag-1=Ana <ana@shop.example>'")
        senders[name] = mailbox
    return senders


def _run(settings: Settings, site: Site) -> NoReturn:
    from importlib.metadata import version  # noqa: PLC0415

    from orchestrator.cli.clusters import check_topics, declared_topics  # noqa: PLC0415
    from orchestrator.delivery.run import MAKE_A_KEY, run_delivery  # noqa: PLC0415
    from orchestrator.stream.lane_settings import LaneError  # noqa: PLC0415
    from orchestrator.telemetry import configure_logging, emit, events, serve_metrics  # noqa: PLC0415

    configure_logging(settings.log.style, settings.log.level)
    if site.unsubscribe_url and not settings.links.keys():
        raise UserError(
            f"marketing mail carries a signed link to {site.unsubscribe_url}, and links.key is not set: {MAKE_A_KEY}"
        )
    declared = declared_topics(settings)
    parts = _parts(settings, site, declared)
    check_topics(settings, declared)
    port = settings.delivery.metrics_port
    try:
        serve_metrics(port)
    except OSError as error:
        raise UserError(
            f"cannot serve metrics on port {port}: {error.strerror}; choose another: delivery.metrics_port"
        ) from error
    emit(events.ProcessStarted("delivery", version("orchestrator")))
    try:
        code = run_delivery(parts)
    except LaneError as error:
        raise UserError(str(error)) from error
    leave("delivery", code)


def _parts(settings: Settings, site: Site, declared: Sequence[TopicDeclaration]) -> Parts:
    from orchestrator.delivery.backoff import Backoff  # noqa: PLC0415
    from orchestrator.delivery.core import Tuning  # noqa: PLC0415
    from orchestrator.delivery.run import Parts, lane_settings  # noqa: PLC0415
    from orchestrator.language.bundle import EventSchemas  # noqa: PLC0415
    from orchestrator.telemetry import process  # noqa: PLC0415

    kafka, delivery = settings.kafka, settings.delivery
    connection = kafka.connection()
    keys = settings.links.keys()
    channels = frozenset(each.channel for each in declared if each.channel)
    backoff = Backoff(first=round(delivery.first_retry * 1000), longest=round(delivery.longest_retry * 1000))
    return Parts(
        lane=lane_settings(connection=connection, partitions=kafka.partitions, data_dir=settings.data_dir / "delivery"),
        connection=connection,
        ways=_ways(delivery),
        site=site,
        keys=lambda tenant: keys.get(tenant, ()),
        any_key=bool(keys),
        schemas=EventSchemas.from_topics(each.model_dump() for each in declared),
        tuning=Tuning(
            partitions=kafka.partitions, channels=channels, slots=max(delivery.smtp.connections, 8), backoff=backoff
        ),
        recorder=process,
    )


def _ways(delivery: DeliverySettings) -> dict[str, Way]:
    hooks: dict[str, Way] = {name: _webhook(name, hook) for name, hook in delivery.webhooks.items()}
    return {"email": _mail(delivery.smtp, delivery.senders), **hooks}


def _mail(smtp: SmtpSettings, senders: dict[str, str]) -> MailWay:
    from orchestrator.delivery.channels.smtp import SmtpSender, SmtpServer  # noqa: PLC0415
    from orchestrator.delivery.render.mail import AddressError  # noqa: PLC0415
    from orchestrator.delivery.ways import MailWay  # noqa: PLC0415

    server = SmtpServer(
        host=smtp.host,
        port=smtp.port,
        tls=smtp.tls,
        username=smtp.username,
        password=smtp.password.get_secret_value() if smtp.password else "",
        timeout=smtp.timeout,
        connections=smtp.connections,
    )
    try:
        return MailWay(SmtpSender(server), smtp.sender, senders)
    except AddressError:
        raise UserError(
            "delivery.smtp.sender and each of delivery.senders must be one mailbox: Name <address>"
        ) from None


def _webhook(channel: str, hook: WebhookSettings) -> WebhookWay:
    from orchestrator.delivery.channels.signing import read_secret  # noqa: PLC0415
    from orchestrator.delivery.channels.webhook import WebhookSender  # noqa: PLC0415
    from orchestrator.delivery.ways import WebhookWay  # noqa: PLC0415

    given = (hook.secret, hook.previous_secret)
    secrets = [each.get_secret_value() for each in given if each is not None]  # an empty one is a slip, told as such
    try:
        keys = [read_secret(secret) for secret in secrets]
    except ValueError as error:
        raise UserError(f"delivery.webhooks.{channel}: {error}") from None
    return WebhookWay(WebhookSender(hook.url, keys, timeout=hook.timeout, allow_hosts=hook.allow_hosts))
