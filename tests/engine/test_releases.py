"""What a new release means to those who are under way: pin, follow, drain, end; and a scenario that is gone."""

from copy import deepcopy

import pytest
from play import HOUSE, SCHEMAS, START, H, M, Play, S, program_of

from orchestrator.engine.advance import Advance
from orchestrator.engine.facts import Facts
from orchestrator.engine.identity.work import Merge
from orchestrator.engine.program.build import build_program
from orchestrator.engine.program.plan import Program
from orchestrator.language.bundle import load_bundle
from orchestrator.model import ring
from orchestrator.model.effect import Emitted

EVENTS = """
---
events: told_outside
define: {done: {channel: [web]}, wave: {channel: [web]}}
"""
MAIL = """
---
content: hello
class: service
variants: {email: {subject: Hello, body: Hello}}
"""


def story(version: int, steps: str, more: str = "") -> str:
    return f"""
scenario: story
version: {version}
entry: {{on: seen, key: event.page}}
{more}
steps:
{steps}
"""


def told(text: str) -> str:
    return f"  - {{id: tell, emit: {{event: done, with: {{by: '\"{text}\"'}}}}}}"


WAIT = "  - {id: wait, delay: {for: 1h}}\n"


class Releases:
    """A play, and releases that follow each other as a worker builds them."""

    def __init__(self, *documents: str, partitions: int = 1) -> None:
        self.programs: list[Program] = [self._built(documents)]
        self.play = Play(self.programs[0], partitions=partitions)

    def _built(self, documents: tuple[str, ...]) -> Program:
        files = {f"{n}.yaml": text.encode() for n, text in enumerate((HOUSE, EVENTS, *documents))}
        loaded = load_bundle(files, SCHEMAS)
        assert loaded.bundle is not None, [str(one) for one in loaded.diagnostics]
        program = build_program(loaded.bundle, getattr(self, "programs", []))
        program.draw = lambda _tenant, _salt, _person: 99.99
        return program

    def publish(self, *documents: str, at: int) -> None:
        self.play.passes(at - 300)
        self.programs.append(self._built(documents))
        self.play.world.publish(self.programs[-1])

    @property
    def done(self) -> list[str]:
        return [emitted.data["by"] for emitted in self.play.emitted]


def test_pin_finishes_on_the_version_it_began_and_new_ones_begin_on_the_new() -> None:
    releases = Releases(story(1, WAIT + told("one")))
    releases.play.comes("seen", 0, page="a")
    releases.publish(story(2, WAIT + told("two")), at=10 * M)
    releases.play.comes("seen", 20 * M, page="b")
    releases.play.passes(2 * H)
    assert releases.done == ["one", "two"]


def test_an_instance_keeps_what_it_drew_when_a_release_changes_the_weights() -> None:
    def drawing(version: int, weight: int) -> str:
        arms = (
            f"[{{name: a, weight: {weight}%, then: [{told('a').strip()[2:]}]}}, {{name: b, weight: {100 - weight}%}}]"
        )
        draw = f"  - {{id: draw, experiment: {{variants: {arms}}}}}\n"
        return story(version, draw + WAIT + "  - {id: again, go_to: {step: draw, limit: 1}}\n", "in_flight: follow")

    releases = Releases(drawing(1, 100))
    releases.play.comes("seen", 0, page="a")
    releases.publish(drawing(2, 0), at=10 * M)
    releases.play.passes(90 * M)
    releases.play.comes("seen", 100 * M, page="b")
    assert releases.done == ["a", "a"], "the newcomer drew b"


def test_pinned_content_calendars_segments_and_history_stay_though_they_are_gone() -> None:
    ground = """
---
calendar: office
days: [mon, tue, wed, thu, fri]
from: "09:00"
to: "17:00"
---
segment: readers
where: count("put", "1d") > 1
"""
    mail = "  - {id: mail, send: {content: hello, channel: email}}\n"
    split = """
  - id: who
    split:
      - when: in_segment("readers") && open("office")
        then: [{id: reader, emit: {event: done, with: {by: '"reader"'}}}]
"""
    releases = Releases(story(1, WAIT + mail + split), MAIL, ground)
    first = releases.programs[0].release
    releases.play.comes("seen", 0, "user_id:amy email:amy@example.com", page="a")
    releases.publish(story(2, WAIT + told("two")), at=10 * M)
    releases.play.comes("put", 20 * M, sku="x")
    releases.play.comes("put", 21 * M, sku="x")
    releases.play.passes(2 * H)
    assert [(action.content, action.release) for action in releases.play.actions] == [("hello", first)]
    assert releases.done == ["reader"]
    assert releases.programs[1].contents == {}


def test_follow_stands_at_the_same_step_keeps_the_due_time_and_does_what_the_new_version_says() -> None:
    releases = Releases(story(1, WAIT + told("one")))
    releases.play.comes("seen", 0, page="a")
    releases.publish(story(2, WAIT.replace("1h", "5h") + told("two"), "in_flight: follow"), at=10 * M)
    releases.play.passes(1 * H)
    assert releases.done == ["two"]
    assert [emitted.time for emitted in releases.play.emitted] == [releases.play.world.record.happenings[0].at + 1 * H]


def test_follow_takes_the_new_condition_of_a_wait() -> None:
    wait = "  - id: wait\n    wait_until: {{on: told, where: 'event.word == \"{}\"', timeout: 5h}}\n"
    releases = Releases(story(1, wait.format("old") + told("one")))
    releases.play.comes("seen", 0, page="a")
    releases.publish(story(2, wait.format("new") + told("two"), "in_flight: follow"), at=10 * M)
    releases.play.comes("told", 20 * M, word="old")
    assert releases.done == []
    releases.play.comes("told", 21 * M, word="new")
    assert releases.done == ["two"]


def test_moved_names_what_was_renamed_and_outputs_follow() -> None:
    old = "  - {id: first, split: [{when: 'true', then: []}]}\n" + WAIT + told("one")
    new = (
        "  - {id: begin, split: [{when: 'true', then: []}]}\n"
        "  - {id: rest, delay: {for: 9h}}\n"
        "  - {id: tell, emit: {event: done, with: {by: steps.begin.outcome}}}\n"
    )
    releases = Releases(story(1, old))
    releases.play.comes("seen", 0, page="a")
    releases.publish(story(2, new, "in_flight: follow\nmoved: {wait: rest, first: begin}"), at=10 * M)
    assert releases.play.standing() == ["rest"]
    releases.play.passes(1 * H)
    assert releases.done == ["1"]


def test_a_step_that_is_gone_ends_who_stands_there() -> None:
    releases = Releases(story(1, WAIT + told("one")))
    releases.play.comes("seen", 0, page="a")
    releases.publish(story(2, told("two"), "in_flight: follow"), at=10 * M)
    assert releases.play.ended() == [("lost", "step_removed")]


def test_an_id_that_became_another_word_begins_anew() -> None:
    releases = Releases(story(1, WAIT + told("one")))
    releases.play.comes("seen", 0, page="a")
    silence = "  - {id: wait, silence: {of: [seen], for: 30m}}\n"
    releases.publish(story(2, silence + told("two"), "in_flight: follow"), at=10 * M)
    releases.play.passes(39 * M)
    assert releases.done == []
    releases.play.passes(40 * M)
    assert releases.done == ["two"]


def test_a_parallel_track_follows_under_its_new_name() -> None:
    def both(name: str, word: str) -> str:
        tracks = "{name: a, steps: [{id: slow, delay: {for: 1h}}]}, {name: b, steps: [{id: fast, delay: {for: 10m}}]}"
        return f"  - {{id: {name}, parallel: [{tracks}]}}\n" + told(word)

    releases = Releases(story(1, both("side", "one")))
    releases.play.comes("seen", 0, page="a")
    releases.publish(story(2, both("sides", "two"), "in_flight: follow\nmoved: {side: sides}"), at=20 * M)
    releases.play.passes(1 * H)
    assert releases.done == ["two"]


def test_drain_lets_nobody_in_until_the_last_has_left() -> None:
    releases = Releases(story(1, WAIT + told("one")))
    releases.play.comes("seen", 0, page="a")
    releases.publish(story(2, WAIT + told("two"), "in_flight: drain"), at=10 * M)
    releases.play.comes("seen", 20 * M, page="b")
    assert releases.play.told("not_entered") == [("not_entered", "story", "draining")]
    releases.play.passes(61 * M)
    releases.play.comes("seen", 62 * M, page="b")
    releases.play.passes(3 * H)
    assert releases.done == ["one", "two"]


def test_drain_lets_those_in_who_only_rest_under_the_same_key() -> None:
    goal = "goal: {on: bought}"
    releases = Releases(story(1, told("one"), goal))
    releases.play.comes("seen", 0, page="a")
    releases.publish(story(2, told("two"), f"{goal}\nin_flight: drain"), at=10 * M)
    releases.play.comes("seen", 20 * M, page="b")
    assert releases.play.told("not_entered") == [("not_entered", "story", "draining")]
    releases.play.comes("seen", 30 * M, page="a")
    assert releases.play.ended() == [("done", "finished")]
    assert releases.done == ["one", "two"]


def test_end_ends_them_at_once_with_held_sends_and_tasks() -> None:
    task = "  - {id: call, task: {queue: care, due: 1h, on_exit: withdraw}}\n"
    releases = Releases(story(1, task + WAIT + told("one")))
    releases.play.comes("seen", 0, page="a")
    releases.publish(story(2, task + WAIT + told("two"), "in_flight: end"), at=10 * M)
    assert releases.play.ended() == [("lost", "released")]
    assert [notice.state for notice in releases.play.tasks] == ["open", "withdrawn"]
    releases.play.passes(3 * H)
    assert releases.done == []


def test_a_scenario_that_is_gone_ends_its_instances_with_tasks_and_the_event_that_tells() -> None:
    task = "  - {id: call, task: {queue: care, due: 1h, on_exit: withdraw}}\n"
    heir = """
scenario: heir
entry: {on: exited, where: event.scenario == "story"}
steps: [{id: tell, emit: {event: done, with: {by: event_reason}}}]
""".replace("event_reason", "entry.reason")
    releases = Releases(story(1, task + WAIT + told("one")))
    releases.play.comes("seen", 0, page="a")
    releases.publish(heir, at=10 * M)
    assert releases.play.ended()[0] == ("lost", "scenario_removed")
    assert [notice.state for notice in releases.play.tasks] == ["open", "withdrawn"]
    assert releases.done == ["scenario_removed"]
    assert releases.play.customer().instances == []


def test_a_task_that_outlives_its_scenario_can_still_be_closed() -> None:
    task = "  - {id: call, task: {queue: care, due: 9h, close_on: [{on: told}]}}\n"
    releases = Releases(story(1, task + WAIT))
    releases.play.comes("seen", 0, page="a")
    releases.publish(MAIL, at=10 * M)
    releases.play.comes("told", 20 * M, word="x")
    assert [notice.state for notice in releases.play.tasks] == ["open", "closed"]


def test_going_back_to_the_release_before_is_a_release() -> None:
    releases = Releases(story(1, WAIT + told("one")))
    releases.publish(story(2, WAIT + told("two")), at=1 * M)
    releases.play.comes("seen", 2 * M, page="a")
    releases.publish(story(1, WAIT + told("one")), at=10 * M)
    releases.play.comes("seen", 20 * M, page="b")
    releases.play.passes(2 * H)
    assert releases.done == ["two", "one"]


def test_everybody_is_told_of_a_new_schedule_and_nobody_twice() -> None:
    wave = """
scenario: wave
audience: profile.known
entry: {at: 2026-03-02T12:00:00+01:00}
steps: [{id: tell, emit: {event: wave}}]
"""
    releases = Releases(MAIL, partitions=4)
    for number in range(20):
        releases.play.comes("told", number * S, f"user_id:u{number}", word="x")
    releases.publish(MAIL, wave, at=10 * M)
    releases.publish(MAIL, wave, story(1, WAIT), at=20 * M)
    releases.play.passes(3 * H)
    people = [emitted.person for emitted in releases.play.emitted]
    assert len(people) == len(set(people)) == 20


def test_publishing_floods_nobody() -> None:
    level = """
scenario: level
entry: {becomes: profile.known}
steps: [{id: tell, emit: {event: done, with: {by: '"level"'}}}]
---
scenario: past
audience: profile.known
entry: {at: 2026-03-02T10:05:00+01:00}
steps: [{id: tell, emit: {event: wave}}]
"""
    releases = Releases(story(1, WAIT + told("one")))
    releases.play.comes("seen", 0, page="a")
    releases.publish(story(2, WAIT + told("two"), "in_flight: follow"), level, at=10 * M)
    releases.play.passes(2 * H)
    assert releases.done == ["two"]
    assert {emitted.type for emitted in releases.play.emitted} == {"done"}


def test_without_earlier_releases_nothing_is_out_of_date() -> None:
    program = program_of(story(1, WAIT))
    assert program.older == {}
    assert program.outdated == {}


WEEKLY = """
scenario: wave
version: {version}
audience: profile.known
entry: {{{entry}}}
steps: [{{id: tell, emit: {{event: wave}}}}]
"""


def weekly(version: int, entry: str) -> str:
    return WEEKLY.format(version=version, entry=entry)


def test_a_schedule_that_changed_is_kept_from_its_next_day_on() -> None:
    releases = Releases(weekly(1, 'every: {days: [mon, tue, wed], time: "12:00"}'))
    releases.play.comes("seen", 0, page="a")
    releases.play.passes(3 * H)
    assert len(releases.play.emitted) == 1
    releases.publish(weekly(2, 'every: {days: [mon, tue, wed], time: "15:00"}'), at=4 * H)
    releases.play.passes(28 * H)
    assert len(releases.play.emitted) == 1, "Monday has been, and Tuesday's three o'clock is still to come"
    releases.play.passes(30 * H)
    assert len(releases.play.emitted) == 2


def test_an_old_timer_that_fires_before_its_customer_was_told_starts_nothing() -> None:
    old = program_of(EVENTS, weekly(1, 'every: {days: [mon], time: "12:00"}'))
    new = program_of(EVENTS, weekly(2, 'every: {days: [mon], time: "15:00"}'))
    play = Play(old)
    play.comes("seen", 0, page="a")
    play.world.engine.program = new  # the release has begun, its visits have not come here yet
    play.passes(3 * H)
    assert play.emitted == []
    play.passes(5 * H)
    assert len(play.emitted) == 1


def test_an_entry_that_became_a_schedule_forgets_what_it_waited_for() -> None:
    sequence = """
scenario: wave
version: 1
entry: {sequence: [{on: seen}, {absent: told, for: 1h}], within: 1h}
steps: [{id: tell, emit: {event: wave}}]
"""
    releases = Releases(sequence)
    releases.play.comes("seen", 0, page="a")
    releases.publish(weekly(2, 'every: {days: [tue], time: "12:00"}'), at=10 * M)
    releases.play.passes(2 * H)
    assert releases.play.emitted == []
    releases.publish(sequence.replace("version: 1", "version: 3"), at=3 * H)
    releases.play.comes("seen", 3 * H + M, page="a")
    releases.play.passes(28 * H)
    assert len(releases.play.emitted) == 1


def test_a_message_on_its_way_holds_nobody_when_its_step_is_gone() -> None:
    mail = "  - {id: mail, send: {content: hello, channel: [email, push], fallback: {after: 1h, times: 1}}}\n"
    releases = Releases(story(1, mail), MAIL)
    releases.play.comes("seen", 0, "user_id:amy email:amy@example.com", page="a")
    assert releases.play.standing() == ["mail"]
    releases.publish(story(2, told("two"), "in_flight: follow"), at=10 * M)
    assert releases.play.ended() == [("done", "finished")]


# An instance of a release that is not here yet: its customer came from a partition that was quicker.


class Ahead:
    """A customer on the version of a later release, at a partition that is on an earlier one."""

    def __init__(self, later: str, earlier: str) -> None:
        self.later, self.earlier = Releases(later), Releases(earlier)
        self.later.play.comes("seen", 0, page="a")
        self.customer = self.later.play.customer()
        self.due = self.customer.instances[0].standing[0].due

    def ticks(self, now: int, program: Program) -> list[str]:
        """A tick at `now`; gives what was told."""
        advance = Advance(self.customer, program, Facts(), "user_id:amy", now)
        advance.timers(now, waits=True)
        return [effect.data["by"] for effect in advance.effects if isinstance(effect, Emitted)]

    def stands(self) -> list[tuple[str, int]]:
        return [(one.step, one.due) for i in self.customer.instances for one in i.standing]


OTHER = "  - {id: other, delay: {for: 9h}}\n"


def test_an_instance_of_a_release_to_come_waits_for_it_and_acts_late_rather_than_otherwise() -> None:
    ahead = Ahead(story(2, WAIT + told("two")), story(1, OTHER + told("one")))
    assert ahead.ticks(ahead.due + 10 * S, ahead.earlier.programs[0]) == []
    assert ahead.stands() == [("wait", ahead.due)]
    assert ahead.ticks(ahead.due + 20 * S, ahead.later.programs[0]) == ["two"]


def test_visits_of_the_earlier_release_leave_an_instance_of_a_release_to_come_alone() -> None:
    ahead = Ahead(story(3, WAIT + told("three")), story(1, OTHER + told("one")))
    ahead.earlier.publish(story(2, OTHER + told("two"), "in_flight: end"), at=1 * M)
    advance = Advance(ahead.customer, ahead.earlier.programs[1], Facts(), "user_id:amy", ahead.due - 1)
    assert not advance.released()
    assert ahead.stands() == [("wait", ahead.due)]


@pytest.mark.parametrize(("entered", "left"), [("never", 0), ("always", 1)])
def test_what_a_half_has_been_through_ends_in_the_other_half_also_by_a_release_to_come(entered: str, left: int) -> None:
    again = f"entry: {{on: seen, key: event.page, re_entry: {entered}}}"
    new = story(1, WAIT + told("new")).replace("entry: {on: seen, key: event.page}", again)
    ahead = Ahead(new, story(1, WAIT + told("one")).replace("story", "another"))
    (instance,) = ahead.customer.instances
    merge = Merge(["email:a"], ring.EMPTY, ring.EMPTY, [instance], [], [instance])
    Advance(ahead.customer, ahead.earlier.programs[0], Facts(), "user_id:amy", START + M).merged(merge)
    assert len(ahead.customer.instances) == left


BACK = """
scenario: back
entry: {on: seen, re_entry: never}
steps: [{id: stocked, wait_until: {when: 'stock("A") > 0', timeout: 9d}}, {id: tell, emit: {event: done}}]
"""


def test_what_ends_by_a_merge_does_not_go_on_before_by_a_release_that_came_meanwhile() -> None:
    releases = Releases(story(1, WAIT + told("one")), BACK)
    releases.play.comes("seen", 0, page="a")
    customer = deepcopy(releases.play.customer())  # as it comes from a partition that is on the first release
    releases.publish(story(2, WAIT + told("two"), "in_flight: end"), BACK, at=0)
    back = next(instance for instance in customer.instances if instance.scenario == "back")
    stocked = Facts({"stock": {"A/shop": {"qty": 1}}})
    advance = Advance(customer, releases.programs[1], stocked, "user_id:amy", START + M)
    advance.merged(Merge(["email:a"], ring.EMPTY, ring.EMPTY, [back], [], [back]))
    assert [effect for effect in advance.effects if isinstance(effect, Emitted)] == []
    assert customer.instances == []


def test_a_release_that_never_comes_is_not_waited_for_longer_than_ten_minutes() -> None:
    ahead = Ahead(story(2, WAIT + told("two")), story(1, WAIT + told("one")))
    assert ahead.ticks(ahead.due + 10 * M - 1, ahead.earlier.programs[0]) == []
    assert ahead.ticks(ahead.due + 10 * M, ahead.earlier.programs[0]) == ["one"]


def test_who_waits_for_a_scenario_that_never_comes_leaves_it() -> None:
    ahead = Ahead(story(1, WAIT + told("two")), story(1, WAIT + told("one")).replace("story", "another"))
    assert ahead.ticks(ahead.due + 10 * M, ahead.earlier.programs[0]) == []
    assert ahead.stands() == []


def test_the_end_of_an_instance_of_a_release_to_come_is_told_like_any_other() -> None:
    ahead = Ahead(story(2, WAIT + told("two")), story(1, WAIT).replace("story", "another"))
    [instance] = ahead.customer.instances
    instance.ends_at = ahead.due - 1
    advance = Advance(ahead.customer, ahead.earlier.programs[0], Facts(), "user_id:amy", ahead.due)
    advance.timers(ahead.due - 1, waits=True)
    assert [(note.what, note.reason) for note in advance.notes] == [("ended", "too_old")]
    assert ahead.customer.instances == []


def test_what_fitted_an_element_of_a_sequence_fits_none_of_a_release_that_has_other_elements() -> None:
    def sequence(version: int, *on: str) -> str:
        elements = ", ".join(f"{{on: {type_}}}" for type_ in on)
        entry = f"entry: {{sequence: [{elements}], within: 1d}}"
        return story(version, WAIT).replace("entry: {on: seen, key: event.page}", entry)

    releases = Releases(sequence(1, "seen", "bought"))
    releases.play.comes("seen", M)
    releases.publish(sequence(2, "put", "bought"), at=10 * M)
    releases.play.comes("bought", 20 * M)
    assert releases.play.told("entered") == [], "nothing was put: what was seen is the first element no more"
    releases.play.comes("put", 30 * M, sku="x", qty=1, cart="c")
    releases.play.comes("bought", 40 * M)
    assert len(releases.play.told("entered")) == 1


def test_a_release_that_leaves_a_sequence_as_it_was_forgets_nothing_of_it() -> None:
    text = story(1, WAIT).replace(
        "entry: {on: seen, key: event.page}", "entry: {sequence: [{on: seen}, {on: bought}], within: 1d}"
    )
    releases = Releases(text)
    releases.play.comes("seen", M)
    releases.publish(text.replace("version: 1", "version: 2"), at=10 * M)
    releases.play.comes("bought", 20 * M)
    assert len(releases.play.told("entered")) == 1


def test_who_has_been_told_of_a_release_is_left_alone_by_another_visit_also_where_something_is_due() -> None:
    known = Releases(story(1, WAIT + told("one")))
    known.play.comes("seen", 0, page="a")
    customer, program = known.play.customer(), known.programs[0]
    (standing,) = customer.instances[0].standing
    advance = Advance(customer, program, Facts(), "user_id:amy", standing.due + 1)
    assert not advance.released()
    assert (customer.instances[0].standing, customer.now, advance.effects) == ([standing], START, [])
