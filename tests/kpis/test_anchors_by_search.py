"""What an occurrence is counted for, against looking at everything there is."""

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.kpis.history import Occurrence, Source
from orchestrator.kpis.measures import Anchors, Line, belong
from tests.kpis.house import Told

SOURCES = st.builds(
    Source,
    scenario=st.sampled_from(("", "cross_sell", "win_back")),
    key=st.sampled_from(("", "k")),
    message=st.sampled_from(("", "", "m1", "m2")),
)
HAPPENING = st.tuples(st.sampled_from(("amy", "ben")), st.integers(0, 30), SOURCES)


def told(happenings: list[tuple[str, int, Source]]) -> list[Occurrence]:
    """In order of time; no two at once, so that what is newest is one."""
    line = Told()
    for number, (person, at, source) in enumerate(happenings):
        line.does(person, "order_placed", at * 1_000 + number, source)
    return sorted(line.occurrences, key=lambda one: one.at)


@settings(max_examples=300, deadline=None)
@given(st.lists(HAPPENING, max_size=14), st.integers(0, 12_000), st.booleans())
def test_the_newest_that_fits(happenings: list[tuple[str, int, Source]], within: int, apart: bool) -> None:
    those = told(happenings)
    anchors = Anchors(those, within, apart=apart)
    for one in those:
        fitting = [
            other
            for other in those
            if other is not one
            and other.person == one.person
            and one.at - other.at >= 0
            and belong(one.source, other.source)
        ]
        expected = {}
        for other in fitting:
            expected[other.source.scenario if apart else ""] = other
        in_time = [other for other in expected.values() if one.at - other.at <= within]
        assert sorted(other.at for other in anchors.of(one)) == sorted(other.at for other in in_time)


@settings(max_examples=300, deadline=None)
@given(st.lists(HAPPENING, max_size=14))
def test_the_next_that_fits(happenings: list[tuple[str, int, Source]]) -> None:
    those = told(happenings)
    for one in those:
        line = Line()
        for other in those:
            if other.person == one.person:
                line.add(other)
        later = [
            other
            for other in those
            if other.person == one.person and other.at > one.at and belong(one.source, other.source)
        ]
        assert line.after(one) is (later[0] if later else None)
