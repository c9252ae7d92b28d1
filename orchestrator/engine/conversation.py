"""Conversations: turns become threads, whatever the channel they come by."""

from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.tasks import tell_thread
from orchestrator.language.cel import CelError
from orchestrator.model.customer import Thread, Turn

if TYPE_CHECKING:
    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import EventPlan, Program, TurnPlan
    from orchestrator.model.customer import Customer
    from orchestrator.model.event import Event


MOST_SAID: Final = 4_000
"""Characters of a turn that a record keeps: each task about a thread is told with all its turns. The whole is in the
turn's event."""
THREADS_KEPT: Final = 50
"""Threads that a record keeps, the newest: whoever writes may begin one with every message."""


def find_thread(moment: "Moment", event: "Event", plan: "EventPlan") -> None:
    """Name the thread that an event belongs to, before its properties are derived."""
    if plan.turns or plan.closes:
        event.thread = _named(moment) or _open(moment, event) or (event.id if plan.turns else "")
    elif isinstance(event.data.get("thread"), str):
        event.thread = event.data["thread"]


def _named(moment: "Moment") -> str:
    """The first expression that gives a thread; one that asks for what is absent gives none."""
    for expression in moment.program.conversation.thread:
        try:
            name = expression.evaluate(moment.scope)
        except CelError:
            continue
        if name:
            return str(name)
    return ""


def _open(moment: "Moment", event: "Event") -> str:
    """The newest thread that is open and had a turn lately."""
    since = event.time - moment.program.conversation.open_for
    threads = [t for t in moment.customer.threads.values() if t.open and t.last_at > since]
    return max(threads, key=lambda thread: (thread.last_at, thread.id)).id if threads else ""


def add_turns(moment: "Moment", event: "Event", plan: "EventPlan") -> None:
    """Remember what was said, and close threads that are settled."""
    for turn in plan.turns:
        if moment.holds(turn.where, "", "conversation"):
            _add(moment, event, turn)
            break
    for where in plan.closes:
        thread = moment.customer.threads.get(event.thread)
        if thread is not None and moment.holds(where, "", "conversation"):
            thread.open = False
            thread.asked = 0


def _add(moment: "Moment", event: "Event", plan: "TurnPlan") -> None:
    customer = moment.customer
    thread = customer.threads.get(event.thread)
    if thread is None:
        _forget_oldest(customer, THREADS_KEPT - 1)
        thread = customer.threads[event.thread] = Thread(event.thread)
    said, about = str(_known(moment, plan.text) or "")[:MOST_SAID], str(_known(moment, plan.about) or "")
    turn = Turn(event.time, plan.by, event.channel, said, about, event.id, str(event.data.get("agent") or ""))
    thread.turns += 1
    thread.recent = sorted([*thread.recent, turn], key=lambda t: (t.at, t.id))[-moment.program.conversation.keep :]
    thread.last_at = max(thread.last_at, event.time)
    thread.open = True
    thread.about = turn.about or thread.about
    thread.agent = turn.agent or thread.agent
    if event.channel not in thread.channels:
        thread.channels = [*thread.channels, event.channel]
    thread.asked = _asked(thread)
    tell_thread(moment, thread.id)


def settle_threads(customer: "Customer", program: "Program") -> None:
    """Threads in which both halves of a customer spoke: turns are kept and counted as if one had spoken."""
    if program.conversation is None:
        return
    _forget_oldest(customer, THREADS_KEPT)
    for thread in customer.threads.values():
        thread.recent = thread.recent[-program.conversation.keep :]
        thread.asked = _asked(thread) if thread.open else 0


def _forget_oldest(customer: "Customer", keep: int) -> None:
    """Let threads go where there are too many: closed ones first, then by their last turn."""
    surplus = len(customer.threads) - keep
    if surplus > 0:
        by_age = sorted(customer.threads.values(), key=lambda thread: (thread.open, thread.last_at, thread.id))
        gone = {thread.id for thread in by_age[:surplus]}
        customer.threads = {name: thread for name, thread in customer.threads.items() if name not in gone}


def _asked(thread: Thread) -> int:
    """Customer turns since the last agent turn, among those kept."""
    asked = 0
    for turn in reversed(thread.recent):
        if turn.by != "customer":
            break
        asked += 1
    return asked


def _known(moment: "Moment", expression: Any) -> Any:
    if expression is None:
        return None
    try:
        return expression.evaluate(moment.scope)
    except CelError:
        return None
