"""All settings of all processes, with their defaults and what they mean.

From, the first that says it: an option of the command, the environment (`ORCHESTRATOR_KAFKA__BOOTSTRAP`), a YAML or
TOML file (`--config FILE` or `ORCHESTRATOR_CONFIG`), the default here. A secret comes from the environment, or from a
file of its own that is named instead of it: `ORCHESTRATOR_DELIVERY__SMTP__PASSWORD_FILE=/run/secrets/smtp`, or
`password_file:` in the settings file. A secret that stands in the settings file itself is refused.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from orchestrator.cli.errors import UserError

if TYPE_CHECKING:
    from orchestrator.stream.connection import Connection

Port = Annotated[int, Field(ge=0, le=65_535)]
Seconds = Annotated[float, Field(gt=0)]


def _checked_link_key(secret: SecretStr) -> SecretStr:
    try:
        right = len(bytes.fromhex(secret.get_secret_value())) == 32
    except ValueError:
        right = False
    if not right:
        raise ValueError("a key for links is 64 hexadecimal digits; make one with: openssl rand -hex 32")
    return secret


def _said(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


class NamedByFile:
    """Marks a setting that is no secret, but may be read from a file as secrets may: `NAME_file`."""


ByFile = Annotated[str, NamedByFile()]
LinkKey = Annotated[SecretStr, AfterValidator(_checked_link_key)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KafkaSettings(_Section):
    """How to reach Kafka, and how topics are made there."""

    bootstrap: str = Field(default="127.0.0.1:9092", description="HOST:PORT of brokers, separated by commas")
    partitions: PositiveInt = Field(default=8, description="partitions of each input topic; choose once")
    replication: PositiveInt = Field(default=1, description="copies of each partition of a topic that is created")
    create_topics: bool = Field(default=False, description="create missing topics at start (development)")
    security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="protocol; all clients of all processes use it"
    )
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(default="PLAIN", description="of SASL")
    username: ByFile = Field(default="", description="for SASL")
    password: SecretStr | None = Field(default=None, description="for SASL")
    ca: Path | None = Field(default=None, description="certificates to trust instead of the system's (PEM)")
    certificate: Path | None = Field(default=None, description="ours, where brokers ask for one (PEM)")
    key: Path | None = Field(default=None, description="of our certificate (PEM); default: in the same file")
    key_password: SecretStr | None = Field(default=None, description="what the key is encrypted with")

    def connection(self) -> Connection:
        """What every client takes to reach the cluster.

        Raises:
            UserError: a certificate or a key cannot be read.
        """
        from orchestrator.stream.connection import Connection, tls_context  # noqa: PLC0415  # most commands do without

        try:
            tls = self.security.endswith("SSL")
            context = tls_context(self.ca, self.certificate, self.key, _said(self.key_password)) if tls else None
        except ValueError as error:
            raise UserError(str(error)) from None
        return Connection(
            self.bootstrap,
            self.security,
            context=context,
            mechanism=self.mechanism,
            username=self.username,
            password=_said(self.password) or "",
        )

    @model_validator(mode="after")
    def _credentials_fit(self) -> Self:
        sasl, tls = self.security.startswith("SASL"), self.security.endswith("SSL")
        if sasl and not (self.username and self.password):
            raise ValueError(f"security {self.security} needs username and password")
        if not sasl and (self.username or self.password):
            raise ValueError(f"security {self.security} takes no username and password: SASL_SSL would")
        if not tls and (self.ca or self.certificate or self.key):
            raise ValueError(f"security {self.security} takes no certificates: SSL or SASL_SSL would")
        if self.key and not self.certificate:
            raise ValueError("key is given without certificate")
        return self


def _checked_ask_key(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9._~+/=-]{24,512}", secret.get_secret_value()):
        raise ValueError("a key has 24 to 512 letters, digits or . _ ~ + / = -; make one with: openssl rand -hex 32")
    return secret


AskKey = Annotated[SecretStr, AfterValidator(_checked_ask_key)]


class WorkerSettings(_Section):
    """The process that owns customers."""

    host: str = Field(default="127.0.0.1", description="the name by which gateways reach this worker")
    bind: str = Field(default="127.0.0.1", description="the address that its server listens on")
    port: Port = Field(default=6066, description="where gateways ask it; 0 takes a free one")
    ask_key: AskKey | None = Field(
        default=None, description="what gateways present to workers; without it workers answer this machine only"
    )
    previous_ask_key: AskKey | None = Field(default=None, description="the one it replaces; workers take both")
    metrics_port: Port = Field(default=9101, description="where /metrics is served; 0 takes a free one")
    session_timeout: Annotated[Seconds, Field(ge=6)] = Field(
        default=6.0, description="s until a dead worker's partitions move"
    )
    commit_interval: Seconds = Field(default=0.2, description="s between commits")

    def ask_keys(self) -> tuple[str, ...]:
        """The keys that a worker takes, the current one first; gateways present that one."""
        return tuple(each.get_secret_value() for each in (self.ask_key, self.previous_ask_key) if each)


class SmtpSettings(_Section):
    """The mail server that e-mails are handed to."""

    host: str = Field(default="127.0.0.1", description="its name")
    port: Port = Field(default=587, description="25, 465, 587 or another")
    tls: Literal["required", "implicit", "if_offered", "never"] = Field(
        default="required", description="required: STARTTLS or no mail; implicit: TLS from the first byte"
    )
    username: ByFile = Field(default="", description="for AUTH; empty for none")
    password: SecretStr | None = Field(default=None, description="for AUTH")
    sender: str = Field(default="no-reply@localhost", description="From, where a content names no sender")
    timeout: Seconds = Field(default=30.0, description="s for each step of the conversation")
    connections: PositiveInt = Field(default=4, description="at most so many at once")


class WebhookSettings(_Section):
    """Where one channel's messages are posted to, signed after Standard Webhooks."""

    url: Annotated[str, Field(pattern=r"^https?://")] = Field(description="the receiver")
    secret: SecretStr = Field(description="whsec_ and base64 of 24 to 64 bytes")
    previous_secret: SecretStr | None = Field(default=None, description="the one it replaces; both sign for a while")
    timeout: Seconds = Field(default=20.0, description="s for one attempt")
    allow_hosts: tuple[str, ...] = Field(
        default=(), description="hosts that may be reached although they are not public"
    )


class DeliverySettings(_Section):
    """The process that sends messages."""

    smtp: SmtpSettings = SmtpSettings()
    webhooks: dict[str, WebhookSettings] = Field(default={}, description="by channel: delivery.webhooks.sms.url")
    metrics_port: Port = Field(default=9102, description="where /metrics is served; 0 takes a free one")
    first_retry: Seconds = Field(
        default=5.0, description="s: the ceiling of the wait after a first failure; it doubles"
    )
    longest_retry: Seconds = Field(default=900.0, description="s: no wait is longer")
    site_url: str = Field(default="", description="where links like /offers/7 lead, as https://shop.example")
    unsubscribe_url: str = Field(
        default="", description="takes the one-click POST (RFC 8058) of marketing mail; default: SITE_URL/unsubscribe"
    )
    token_hosts: tuple[str, ...] = Field(
        default=(), description="hosts whose links get the customer's token; default: every host"
    )
    senders: dict[str, str] = Field(
        default={}, description="what a sender's name stands for: delivery.senders.ag-1: Ana <ana@shop.example>"
    )


class GatewayKey(_Section):
    """One caller of the gateway."""

    key: SecretStr = Field(description="what the caller sends as Authorization: Bearer KEY; 24 characters or more")
    tenant: str = Field(default="default", description="whose customers it reaches")
    scopes: tuple[Literal["events", "decide", "context", "erase"], ...] = Field(
        default=("events", "decide", "context"), description="what it may do; to erase customers only where said"
    )
    channels: tuple[str, ...] = Field(default=(), description="whose events it may send; default: every channel's")
    rate: Annotated[float, Field(gt=0)] = Field(default=2_000.0, description="events and asks a second, on average")
    burst: Annotated[float, Field(gt=0)] = Field(default=4_000.0, description="how many may come at once")


class GatewaySettings(_Section):
    """The HTTP gateway: events in; context and decisions out."""

    host: str = Field(default="127.0.0.1", description="the address to listen on; without keys only a loopback one")
    port: Port = Field(default=8080, description="where it listens; 0 takes a free one")
    keys: dict[str, GatewayKey] = Field(default={}, description="by name: gateway.keys.shop.key; none lets everyone in")
    undeclared: Literal["accept", "refuse"] = Field(
        default="accept", description="event types and properties that nobody declares: 202 with warnings, or 422"
    )


class LinkKeys(_Section):
    """The keys that sign links."""

    key: LinkKey | None = Field(default=None, description="64 hexadecimal digits")
    previous_key: LinkKey | None = Field(default=None, description="the one it replaced; its links still count")

    def in_order(self) -> tuple[bytes, ...]:
        """The keys, the current one first; none where none is set."""
        return tuple(bytes.fromhex(each.get_secret_value()) for each in (self.key, self.previous_key) if each)


class LinkSettings(LinkKeys):
    """Signed links in messages."""

    tenants: dict[str, LinkKeys] = Field(default={}, description="keys of tenants other than default, by tenant")

    def keys(self) -> dict[str, tuple[bytes, ...]]:
        """Tenant -> its keys, the current one first, for every tenant that has one."""
        held = {"default": self.in_order(), **{name: each.in_order() for name, each in self.tenants.items()}}
        return {tenant: keys for tenant, keys in held.items() if keys}


class LogSettings(_Section):
    """What processes log, to standard error."""

    style: Literal["text", "json"] = Field(default="text", description="for people or for machines")
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="the least that is shown")


class Settings(BaseSettings):
    """Everything. Read it with `orchestrator.cli.sources.load_settings`."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="ORCHESTRATOR_", env_nested_delimiter="__"
    )

    data_dir: Path = Field(
        default=Path("var"), description="what processes keep on disk: the embedded broker's folder, among others"
    )
    scenarios: Path = Field(default=Path("scenarios"), description="the folder of the bundle")
    topics_dir: Path | None = Field(
        default=None, description="topic files: ./topics, else those that came with the package"
    )
    kafka: KafkaSettings = KafkaSettings()
    worker: WorkerSettings = WorkerSettings()
    delivery: DeliverySettings = DeliverySettings()
    gateway: GatewaySettings = GatewaySettings()
    links: LinkSettings = LinkSettings()
    log: LogSettings = LogSettings()
