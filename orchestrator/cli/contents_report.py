"""What a bundle has to say, for people and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.table import Table

from orchestrator.kpis.contents import Said
from orchestrator.language.bundle.inventory import ANY, grid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orchestrator.language.bundle.inventory import Item, Use

_NEVER = Said()


def as_text(items: tuple[Item, ...], said: Mapping[str, Said] | None, *, unused: bool) -> Iterator[Table | str]:
    """A row a content, then what there is for each stage on each channel."""
    chosen = [item for item in items if not unused or _is_idle(item, said)]
    if chosen:
        yield _contents(chosen, said)
    yield _sum(items, said)
    stages = grid(items)
    if stages and not unused:
        yield ""
        yield _stages(stages)


def _contents(items: list[Item], said: Mapping[str, Said] | None) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("content", "class"):
        table.add_column(head, no_wrap=True)
    table.add_column("channels", min_width=_longest(channel for item in items for channel in item.content.variants))
    table.add_column("used by", no_wrap=True)
    if any(item.content.stage for item in items):
        table.add_column("stages", min_width=_longest(stage for item in items for stage in item.content.stage))
    for head in Said._fields if said is not None else ():
        table.add_column(head, justify="right", no_wrap=True)
    for item in items:
        table.add_row(*_cells(item, said, with_stages=any(one.content.stage for one in items)))
    return table


def _longest(names: Iterable[str]) -> int:
    return max(map(len, names), default=0)


def _cells(item: Item, said: Mapping[str, Said] | None, *, with_stages: bool) -> list[str]:
    content = item.content
    used = "\n".join(_places(item)) or "[red]nothing[/red]"
    cells = [content.content, content.class_, " ".join(content.variants), used]
    if with_stages:
        cells.append(" ".join(content.stage))
    if said is not None:
        count = said.get(content.content, _NEVER)
        cells += [f"{number:,}" if number else "-" for number in count]
    return cells


def _places(item: Item) -> Iterator[str]:
    """Scenarios, slots and contents by name, each once; what may only use it has a question mark."""
    certain: dict[str, bool] = {}
    for use in item.uses:
        name = use.name if use.kind == "scenario" else f"{use.kind} {use.name}"
        certain[name] = certain.get(name, False) or use.certain
    yield from (name if sure else f"{name}?" for name, sure in certain.items())


def _is_idle(item: Item, said: Mapping[str, Said] | None) -> bool:
    """Nothing uses it; or it is for scenarios to say, and none ever did."""
    if not item.uses:
        return True
    return said is not None and bool(item.scenarios) and said.get(item.content.content, _NEVER).never


def _sum(items: tuple[Item, ...], said: Mapping[str, Said] | None) -> str:
    idle = sum(not item.uses for item in items)
    told = f"{len(items)} contents, " + (f"{idle} of them used by nothing" if idle else "all in use")
    if said is None:
        return f"{told}."
    never = sum(_is_idle(item, said) for item in items) - idle
    return f"{told}; {never or 'none'} that scenarios use and nobody was to get."


def _stages(stages: dict[str, dict[str, int]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title="contents by stage", title_justify="left")
    table.add_column("stage")
    for channel in stages[ANY]:
        table.add_column(channel, justify="right")
    for stage, channels in stages.items():
        cells = [f"{number}" if number else _gap(stages, stage, channel) for channel, number in channels.items()]
        table.add_row(stage, *cells)
    return table


def _gap(stages: dict[str, dict[str, int]], stage: str, channel: str) -> str:
    return "-" if stage == ANY or stages[ANY][channel] else "[red]none[/red]"


def as_json(items: tuple[Item, ...], said: Mapping[str, Said] | None, *, unused: bool) -> str:
    """The same, for programs."""
    chosen = [item for item in items if not unused or _is_idle(item, said)]
    return json.dumps(
        {"contents": [_plain(item, said) for item in chosen], "stages": grid(items)}, ensure_ascii=False, indent=2
    )


def _plain(item: Item, said: Mapping[str, Said] | None) -> dict[str, Any]:
    content = item.content
    plain: dict[str, Any] = {
        "content": content.content,
        "class": content.class_,
        "channels": list(content.variants),
        "stages": list(content.stage),
        "used_by": [_use(use) for use in item.uses],
    }
    if said is not None:
        plain |= said.get(content.content, _NEVER)._asdict()
    return plain


def _use(use: Use) -> dict[str, Any]:
    return use._asdict()
