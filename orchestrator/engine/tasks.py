"""Work for people: tasks open, receive turns, fall due, close, are withdrawn. One open task per queue and key."""

from typing import TYPE_CHECKING, Any

from orchestrator.engine.context import plain
from orchestrator.engine.functions.said import thread_map
from orchestrator.engine.maps import opened_event
from orchestrator.model.customer import Customer, Instance, Task
from orchestrator.model.effect import TaskNotice
from orchestrator.model.ids import action_id

if TYPE_CHECKING:
    from orchestrator.engine.identity.work import Work
    from orchestrator.engine.moment import Moment


def open_task(moment: "Moment", task: Task) -> Task:
    """Open a task, or add to the one that is open for its queue and key; gives the one that stands."""
    customer = moment.customer
    for known in customer.tasks:
        if (known.queue, known.key) == (task.queue, task.key):
            known.with_ = {**known.with_, **task.with_}
            _tell(moment, known, "open")
            moment.note("task_added", task.scenario, task.step, "", {"queue": task.queue, "key": task.key})
            return known
    customer.tasks = [*customer.tasks, task]
    _tell(moment, task, "open")
    _made(moment, "task_opened", task)
    moment.note("task", task.scenario, task.step, "", _detail(task))
    return task


def _detail(task: Task) -> dict[str, Any]:
    return {"queue": task.queue, "key": task.key, "due": task.due, "id": task.id, "with": task.with_}


def close_tasks(moment: "Moment") -> None:
    """Tasks whose `close_on` the event fits are done."""
    event, plan = moment.event, moment.plan
    if event is None or plan is None:
        return
    for task in list(moment.customer.tasks):
        scenario = moment.program.scenario_of_task(task.scenario, task.version)
        step = scenario.steps.get(task.step) if scenario is not None else None
        if step is None or scenario is None or step.kind != "task":
            continue
        for closing in step.body.close_on:
            if not any(name in closing.on for name in plan.names):
                continue
            moment.scope.entry = opened_event(task.entry, scenario.declared)
            if moment.holds(closing.where, task.scenario, task.step):
                settle_task(moment, task, "closed")
                break


def settle_task(moment: "Moment", task: Task, state: str) -> None:
    """A task ends: `closed` or `withdrawn`."""
    moment.customer.tasks = [known for known in moment.customer.tasks if known.id != task.id]
    _tell(moment, task, state)
    moment.note("task_" + state, task.scenario, task.step, "", _detail(task))
    if state == "closed":
        _made(moment, "task_closed", task)


def withdraw_tasks(moment: "Moment", instance: Instance) -> None:
    """The instance has ended: tasks that must not outlive it go."""
    for task in list(moment.customer.tasks):
        if task.on_exit == "withdraw" and _has_opened(moment, instance, task):
            settle_task(moment, task, "withdrawn")


def _has_opened(moment: "Moment", instance: Instance, task: Task) -> bool:
    """Whether this very instance opened a task: its twin of the other half has scenario, key and ordinal as well."""
    names = (instance.scenario, instance.key, instance.ordinal)
    if (task.scenario, task.instance_key, task.ordinal) != names:
        return False
    visits = range(1, max(instance.visits.values(), default=1) + 1)
    tenant, person = moment.program.tenant, instance.person
    return any(action_id(tenant, person, *names, task.step, visit) == task.id for visit in visits)


def fold_tasks(moment: "Moment") -> None:
    """After a merge, too, one task is open for a queue and key: the one opened later is added to the first, and goes.

    What is to be done is due when the sooner of the two is, and remains with whoever has taken one of them.
    """
    first: dict[tuple[str, str], Task] = {}
    for task in sorted(moment.customer.tasks, key=lambda task: (task.opened_at, task.id)):
        known = first.setdefault((task.queue, task.key), task)
        if known is not task:
            known.with_ = {**known.with_, **task.with_}
            known.assignee, known.thread = known.assignee or task.assignee, known.thread or task.thread
            known.due = min((due for due in (known.due, task.due) if due), default=0)
            known.overdue = known.overdue or task.overdue
            settle_task(moment, task, "withdrawn")
            _wait_for(moment.customer, known, task)
            moment.note("task_added", task.scenario, task.step, "", {"queue": task.queue, "key": task.key})


def _wait_for(customer: Customer, known: Task, gone: Task) -> None:
    """Whoever waits for the task that is gone waits for the one that has its work."""
    for instance in customer.instances:
        for output in instance.outputs.values():
            if output.get("task") is True and output.get("id") == gone.id:
                output["id"] = known.id


def erase_tasks(work: "Work", customer: Customer) -> None:
    """The customer is erased: every open task is withdrawn, also those that would outlive their journey.

    The last record of a task holds for people's tools, and this one says nothing of anybody.
    """
    tenant, node = work.tenant, f"{work.tenant}/{work.name}"
    work.effects += [
        TaskNotice(
            task.id, "withdrawn", task.told + 1, task.queue, "", customer.person, tenant, node, task.opened_at,
            task.due, task.scenario, task.step,
        )
        for task in customer.tasks
    ]  # fmt: skip
    customer.tasks = []


def overdue(moment: "Moment", task: Task) -> None:
    """A task's due time has passed."""
    task.overdue = True
    _tell(moment, task, "overdue")
    moment.note("task_overdue", task.scenario, task.step, "", _detail(task))
    _made(moment, "task_overdue", task)


def tell_thread(moment: "Moment", thread: str) -> None:
    """A turn was added to a thread: its open tasks show it."""
    for task in moment.customer.tasks:
        if task.thread == thread:
            _tell(moment, task, _undone(task))


def tell_tasks(moment: "Moment") -> None:
    """All open tasks anew: they may have another customer's name now, or not have been told of yet."""
    for task in moment.customer.tasks:
        _tell(moment, task, _undone(task))


def _undone(task: Task) -> str:
    return "overdue" if task.overdue else "open"


def _made(moment: "Moment", type_: str, task: Task) -> None:
    moment.make(type_, {"task": task.id, "queue": task.queue, "key": task.key, "thread": task.thread})


def _tell(moment: "Moment", task: Task, state: str) -> None:
    thread = moment.customer.threads.get(task.thread)
    task.told += 1
    moment.effects.append(
        TaskNotice(
            id=task.id,
            state=state,
            revision=task.told,
            queue=task.queue,
            key=task.key,
            person=moment.customer.person,
            tenant=moment.program.tenant,
            node=f"{moment.program.tenant}/{moment.node}",
            opened_at=task.opened_at,
            due=task.due,
            scenario=task.scenario,
            step=task.step,
            assignee=task.assignee,
            thread=task.thread,
            with_=task.with_,
            conversation=plain(thread_map(thread)) if thread is not None else {},
        )
    )
