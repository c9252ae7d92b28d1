"""How the story is told: first the three carts are left, then Amy's day is played while their clocks run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from demo import beside, story
from demo.checks import BrokenOffError, Seen
from demo.people import HOUSE
from demo.producer import RefusedError

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from demo.expect import Expect
    from demo.play import Play

STORY_WITHIN = 420.0
Told = TypeVar("Told")


async def tell(play: Play, expect: Expect) -> None:
    """The whole story, as long as it can be watched."""
    whole, watching = asyncio.create_task(_story(play, expect)), asyncio.create_task(expect.watch.broken())
    try:
        done, _ = await asyncio.wait([whole, watching], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        whole.cancel()
        watching.cancel()


async def _story(play: Play, expect: Expect) -> None:
    """What cannot go on ends its own part only, as an expectation that did not hold."""
    play.timeline.chapter("Three carts", beside.ABOUT)
    await _part(beside.the_shelves(play), expect)
    left = await asyncio.gather(*(_part(beside.leaves_a_cart(play, expect, one), expect) for one in beside.CARTS))
    goes_on = zip((beside.ben, beside.eva, beside.gus), left, strict=True)
    parts = [part(play, expect, due) for part, due in goes_on if due is not None]
    await asyncio.gather(*(_part(part, expect) for part in (story.amy(play, expect), *parts)))
    play.timeline.chapter("Afterwards", "Nothing was lost on the way.")
    expect.nothing_refused("no event of the story went to the dead letters")


async def _part(part: Coroutine[Any, Any, Told], expect: Expect) -> Told | None:
    """One part, to its end or to where it cannot go on; None then."""
    try:
        async with asyncio.timeout(STORY_WITHIN):
            return await part
    except BrokenOffError as error:
        expect.checks.timeline.say(f"This part of the story ends here, without: {error}", "bold red")
    except RefusedError as error:
        expect.checks.now(HOUSE, "the gateway takes what the story sends", Seen(holds=False, what=str(error)))
    except TimeoutError:
        expect.checks.now(HOUSE, "the story comes to its end", Seen(holds=False, what=f"not in {STORY_WITHIN:.0f} s"))
    return None
