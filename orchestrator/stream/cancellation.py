"""Whose cancellation it is that a task meets: its own, or that of something it waited for."""

import asyncio


def is_own() -> bool:
    """Whether the task that runs has been told to end.

    A future that it awaits may have been cancelled instead, by a library or by another thread. Let through, that would
    end the task as if it had been told to: without an error that anybody hears of.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
