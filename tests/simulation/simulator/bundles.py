"""The topic `bundles`: what is published and what is retired, as workers read it one after the other."""

from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.engine.program.plan import Program
from orchestrator.rehearsal.retiring import BEFORE, FREE, NEEDED, InUse, Known, judge
from tests.simulation.simulator.broker import Broker
from tests.simulation.simulator.faults import Fault
from tests.simulation.simulator.house import held, releases


class State(NamedTuple):
    """So many releases are published, and these of them retired."""

    published: int
    retired: frozenset[str] = frozenset()


class Bundles:
    """What has become of the topic.

    Attributes:
        programs: all releases that this story has, each as who holds all before it builds it.
        states: what the topic said, one after the other.
    """

    def __init__(self, following: tuple[int, ...]) -> None:
        self.following = following
        self.programs = releases(following)
        self.states = [State(1)]

    @property
    def published(self) -> int:
        """How many releases are published."""
        return self.states[-1].published

    @property
    def current(self) -> str:
        return self.programs[self.published - 1].release

    def held(self, state: State, recalled: frozenset[str] = frozenset()) -> list[Program]:
        """What a worker builds that has read so far: the release that counts is the last."""
        return held(self.following, state.published, state.retired - recalled)

    def publish(self) -> None:
        """The next release; where it was retired, it is no more."""
        state = self.states[-1]
        again = self.programs[state.published].release
        self.states.append(State(state.published + 1, state.retired - {again}))

    def retire(self, releases: frozenset[str]) -> None:
        self.states.append(State(self.published, self.states[-1].retired | releases))

    def put_back(self, releases: frozenset[str]) -> None:
        self.states.append(State(self.published, self.states[-1].retired - releases))

    def known(self) -> list[Known]:
        """What the topic tells of each release, in the order in which they were published first."""
        return [
            Known(name, dict(versions), name in self.states[-1].retired)
            for name, versions in self._versions(self.published).items()
        ]

    def asleep(self, state: State, retired: frozenset[str]) -> dict[tuple[str, int], str]:
        """(scenario, version) -> the retired release that alone has it."""
        known = self._versions(state.published)
        held = {version for name, versions in known.items() if name not in retired for version in versions}
        return {version: name for name in known if name in retired for version in known[name] if version not in held}

    def _versions(self, published: int) -> dict[str, list[tuple[str, int]]]:
        return {
            program.release: [(plan.name, plan.version) for plan in program.scenarios.values()]
            for program in self.programs[:published]
        }


class Retiring:
    """`orchestrator releases --retire`, in the steps between which anything may happen.

    It does not spare the release before the current one, so that two releases are enough to retire one.
    """

    def __init__(self, broker: Broker, bundles: Bundles) -> None:
        self._broker = broker
        self._bundles = bundles
        self._steps = self._once()

    def go_on(self) -> str:
        """The next step, and what was done in words; behind the last one it begins anew."""
        done = next(self._steps, None)
        if done is None:
            self._steps = self._once()
            return self.go_on()
        return done

    def _once(self) -> Iterator[str]:
        bundles = self._bundles
        known, current = bundles.known(), bundles.current
        yield "looks at the releases"
        in_use = InUse("default", self._broker.partitions)
        for partition, log in enumerate(self._broker.changelog):
            for record in log:
                in_use.take(record.key or b"", record.value)
            yield f"reads p{partition}"
        verdicts = judge(known, current, in_use.versions(), in_use.releases())
        gone = frozenset(one.release for one in verdicts if one.why in {FREE, BEFORE})
        retired = {one.release for one in known if one.retired}
        back = frozenset(one.release for one in verdicts if one.why in NEEDED) & retired
        yield f"will retire {len(gone)} and put {len(back)} back"
        if back:
            self._broker.met[Fault.PUT_BACK] += 1
            bundles.put_back(back)
        if gone:
            self._broker.met[Fault.RETIRED] += 1
            bundles.retire(gone)
            yield "has retired"
            if bundles.current in gone:
                bundles.put_back(frozenset({bundles.current}))
                yield "takes the mark off what counts again"
