"""`orchestrator identity`: who somebody is and why, who is not, and what an operator can do about it."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.clusters import reaching
from orchestrator.cli.errors import UserError
from orchestrator.cli.options import Bootstrap, Config, Format, TopicsDir

if TYPE_CHECKING:
    from orchestrator.cli.people import Conflict, Person
    from orchestrator.cli.settings import Settings
    from orchestrator.engine.identity.rules import IdentityRules
    from orchestrator.model.customer import Node
    from orchestrator.model.effect import ErasureReceipt
    from orchestrator.model.message import Reset

commands = typer.Typer(no_args_is_help=True)

Tenant = Annotated[str, typer.Option("--tenant", help="Whose customer.")]
Wait = Annotated[float, typer.Option("--wait", help="Wait up to so many seconds until it is done.", min=0)]
Named = Annotated[str, typer.Argument(help="NAMESPACE:VALUE, such as email:amy@example.com.")]
LOOK_AGAIN = 0.5


FormatOption = Annotated[Format, typer.Option("--format", help="text or json.")]


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="identity", help="Show a person, list conflicts, split off an identifier, erase.")


@commands.command(short_help="A person's ids, how they joined, what is known.")
def show(
    identifier: Named,
    format_: FormatOption = Format.TEXT,
    tenant: Tenant = "default",
    bootstrap: Bootstrap = None,
    topics_dir: TopicsDir = None,
    config: Config = None,
) -> None:
    """Show who an identifier belongs to: the person, every identifier with the evidence, rivals, conflicts.

    Read from the customers' changelog, so no worker is asked: on a large table it takes some seconds.
    """
    settings = _settings(config, bootstrap, topics_dir)
    with reaching(settings.kafka):
        rules = _rules(settings, tenant)
        name = _name(identifier, rules)
        person = asyncio.run(_person(settings, tenant, name, rules))
    if person is None:
        raise UserError(f"nothing is known of {name}")
    from orchestrator.cli.people import as_plain  # noqa: PLC0415 - --help does without
    from orchestrator.cli.people_report import person_tree  # noqa: PLC0415

    _shown(person_tree(person, name), as_plain(person), format_)


@commands.command(short_help="Identifiers that are kept apart, and why.")
def conflicts(
    format_: FormatOption = Format.TEXT,
    tenant: Tenant = "default",
    bootstrap: Bootstrap = None,
    topics_dir: TopicsDir = None,
    config: Config = None,
) -> None:
    """List identifiers that were seen together and are not one person, and which rule keeps them apart.

    Every customer's record is read. How many there are, without names: orchestrator_identity_conflicts_total.
    """
    settings = _settings(config, bootstrap, topics_dir)
    with reaching(settings.kafka):
        found = asyncio.run(_conflicts(settings, tenant))
    from orchestrator.cli.people_report import conflict_table  # noqa: PLC0415 - --help does without

    _shown(conflict_table(found), [one._asdict() for one in found], format_)


@commands.command(short_help="Take identifiers off a person, for good.")
def split(
    identifiers: Annotated[list[str], typer.Argument(help="NAMESPACE:VALUE, of one and the same person.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Wait = 30.0,
    tenant: Tenant = "default",
    bootstrap: Bootstrap = None,
    topics_dir: TopicsDir = None,
    config: Config = None,
) -> None:
    """Take identifiers off a person: each starts anew, with nothing, and never joins this person again.

    The person keeps the whole history. The identifier that the person lives under cannot leave: take the others off.
    """
    settings = _settings(config, bootstrap, topics_dir)
    with reaching(settings.kafka):
        rules = _rules(settings, tenant)
        names = [_identifier(one, rules) for one in dict.fromkeys(identifiers)]
        home, requests = asyncio.run(_split_requests(settings, tenant, names, rules))
    _say_what_happens(names, home, [name for name in names if rules.is_shared(name)])
    if not yes:
        typer.confirm("Split?", abort=True)
    with reaching(settings.kafka):
        left = asyncio.run(_split(settings, tenant, home, requests, wait))
    if left:
        raise UserError(
            f"asked for, but {', '.join(left)} has not left within {wait:g} s: see that a worker runs, then look with "
            "`orchestrator identity show`"
        )
    typer.echo(f"Done; `orchestrator identity show {names[0]}` shows it, and so does the person's timeline.")


@commands.command(short_help="Erase a person under all identifiers.")
def erase(
    identifier: Named,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Wait = 30.0,
    token: Annotated[
        str | None,
        typer.Option(help="Token of an earlier request, to ask again or for its receipt.", show_default=False),
    ] = None,
    tenant: Tenant = "default",
    bootstrap: Bootstrap = None,
    topics_dir: TopicsDir = None,
    config: Config = None,
) -> None:
    """Erase a person by any of their identifiers, and wait for the receipt that every identifier was reached.

    It cannot be undone. The receipt names nobody: with the token it can be told whether an identifier is on it.
    """
    settings = _settings(config, bootstrap, topics_dir)
    with reaching(settings.kafka):
        rules = _rules(settings, tenant)
        name = _identifier(identifier, rules)
    if not yes:
        typer.confirm(f"Erase everything that is known of {name}, under all their identifiers, for good?", abort=True)
    token = token or secrets.token_hex(16)
    with reaching(settings.kafka):
        receipt = asyncio.run(_erase(settings, tenant, name, token, wait))
    if receipt is None or receipt.state != "complete":
        reached = f"{receipt.reached} of {receipt.expected} were reached" if receipt else "nothing has answered"
        raise UserError(
            f"asked for, but within {wait:g} s {reached}: see that a worker runs, then ask again with --token {token}"
        )
    typer.echo(f"Erased: {receipt.reached} of {receipt.expected} nodes reached.")
    typer.echo(f"Receipt {receipt.id} on the topic erasures; token {token}")


def _say_what_happens(names: list[str], home: str, shared: list[str]) -> None:
    typer.echo(f"{', '.join(names)} leaves the person who lives at {home} and starts anew, with nothing.")
    typer.echo("The person keeps all history, counts and messages; new events of what leaves count for somebody new.")
    for name in shared:
        typer.echo(f"{name} is shared: the next event that names it with somebody makes it theirs, whoever it is.")


def _settings(config: Any, bootstrap: str | None, topics_dir: Any) -> Settings:
    from orchestrator.cli.sources import load_settings  # noqa: PLC0415 - --help does without

    return load_settings(config, {"kafka.bootstrap": bootstrap, "topics_dir": topics_dir})


def _shown(text: Any, plain: Any, format_: Format) -> None:
    import msgspec  # noqa: PLC0415 - --help does without
    from rich.console import Console  # noqa: PLC0415

    if format_ is Format.JSON:
        typer.echo(msgspec.json.format(msgspec.json.encode(plain), indent=2).decode())
    else:
        Console(highlight=False).print(text)


def _name(identifier: str, rules: IdentityRules) -> str:
    namespace, _, value = identifier.partition(":")
    try:
        return rules.node(namespace, value)
    except ValueError as error:
        raise UserError(f"{identifier}: {error}; write NAMESPACE:VALUE, such as email:amy@example.com") from error


def _identifier(identifier: str, rules: IdentityRules) -> str:
    """The node of an identifier; a thread or an order only points at somebody."""
    name = _name(identifier, rules)
    if rules.is_reference(name):
        raise UserError(f"{name} only points at a customer: `orchestrator identity show {name}` says at whom")
    return name


def _rules(settings: Settings, tenant: str) -> IdentityRules:
    """The identity rules of the release that counts.

    Raises:
        UserError: the tenant has none, or it has errors.
    """
    from orchestrator.cli.publish import check_files  # noqa: PLC0415
    from orchestrator.cli.published import read_releases  # noqa: PLC0415
    from orchestrator.engine.program.build import build_program  # noqa: PLC0415

    releases = read_releases(settings)
    files = releases.files(tenant, releases.current.get(tenant, ""))
    if files is None:
        raise UserError(f"no bundle is published for {tenant}: run `orchestrator publish scenarios/`")
    bundle = check_files(settings, files).bundle
    if bundle is None:
        raise UserError("the published bundle does not fit the declared topics: see `orchestrator lint`")
    return build_program(bundle).identity


async def _person(settings: Settings, tenant: str, name: str, rules: IdentityRules) -> Person | None:
    from orchestrator.cli.people import person_of  # noqa: PLC0415
    from orchestrator.engine.identity.work import members  # noqa: PLC0415
    from orchestrator.model.customer import Customer, Reference  # noqa: PLC0415
    from orchestrator.stream.clock import wall_clock  # noqa: PLC0415

    async with _reader(settings, tenant) as reader:
        home, node = await _home(reader, name)
        if node is not None and isinstance(node.body, Reference) and node.body.owner:
            home, node = await _home(reader, node.body.owner)
        if node is None or not isinstance(node.body, Customer):
            return None
        known = await reader.nodes(members(node.body))
    return person_of(home, node, known, rules, wall_clock())


def _reader(settings: Settings, tenant: str) -> Any:
    from orchestrator.stream.changelog import ChangelogReader  # noqa: PLC0415

    return ChangelogReader(settings.kafka.connection(), settings.kafka.partitions, tenant)


async def _home(reader: Any, name: str) -> tuple[str, Node | None]:
    from orchestrator.stream.changelog import UnsettledError  # noqa: PLC0415

    try:
        home: tuple[str, Node | None] = await reader.root(name)
    except UnsettledError:
        raise UserError(f"identifiers of {name} are on the move right now: ask again") from None
    return home


async def _conflicts(settings: Settings, tenant: str) -> list[Conflict]:
    from orchestrator.cli.people import conflicts_of  # noqa: PLC0415

    async with _reader(settings, tenant) as reader:
        return conflicts_of([one async for one in reader.everybody()])


async def _split_requests(
    settings: Settings, tenant: str, names: list[str], rules: IdentityRules
) -> tuple[str, list[Reset]]:
    """Where the person lives, and the requests that let the identifiers go.

    Raises:
        UserError: they are not one person's, or one of them cannot leave.
    """
    from orchestrator.cli.people import apart_of  # noqa: PLC0415
    from orchestrator.model.message import Reset  # noqa: PLC0415
    from orchestrator.stream.clock import wall_clock  # noqa: PLC0415

    async with _reader(settings, tenant) as reader:
        found = {name: await _home(reader, name) for name in names}
    homes = {home for home, _ in found.values()}
    if len(homes) > 1:
        raise UserError(f"{', '.join(names)} are not of one person; see `orchestrator identity show`")
    home, node = next(iter(found.values()))
    if node is None:
        raise UserError(f"nothing is known of {names[0]}")
    if home in names:
        raise UserError(f"{home} is where the person lives and cannot leave: take the other identifiers off instead")
    apart = apart_of(node, rules, [name for name in names if rules.is_unique(name)])
    now = wall_clock()
    return home, [Reset(name, now, apart if rules.is_unique(name) else []) for name in names]


async def _split(settings: Settings, tenant: str, home: str, requests: list[Reset], wait: float) -> list[str]:
    """Ask, and wait; gives who has not left."""
    from orchestrator.cli.people import is_apart  # noqa: PLC0415
    from orchestrator.stream.requests import send_request  # noqa: PLC0415

    await send_request(settings.kafka.connection(), settings.kafka.partitions, tenant, *requests)
    names = [request.target for request in requests]
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    async with _reader(settings, tenant) as reader:
        while True:
            known = await reader.nodes(names)
            left = [name for name in names if not is_apart(name, known.get(name), home)]
            if not left or loop.time() > until:
                return left
            await asyncio.sleep(LOOK_AGAIN)


async def _erase(settings: Settings, tenant: str, name: str, token: str, wait: float) -> ErasureReceipt | None:
    from orchestrator.model.ids import erasure_id  # noqa: PLC0415
    from orchestrator.model.message import Erase  # noqa: PLC0415
    from orchestrator.stream.clock import wall_clock  # noqa: PLC0415
    from orchestrator.stream.requests import await_receipt, send_request  # noqa: PLC0415

    connection = settings.kafka.connection()
    await send_request(connection, settings.kafka.partitions, tenant, Erase(name, wall_clock(), token))
    return await await_receipt(connection, tenant, erasure_id(tenant, token), wait, lambda _: None)
