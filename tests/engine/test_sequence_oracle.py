"""Generated streams: a sequence completes exactly once for each last event that any choice of elements before fits."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st
from play import Play, S, program_of

WITHIN = 20
PROGRAM = program_of(f"""
scenario: torn
entry:
  sequence:
    - {{as: first, on: seen}}
    - {{as: other, on: [seen, told], where: event.n != first.n}}
    - {{as: last, on: seen, where: event.n == first.n}}
  within: {WITHIN}s
  key: string(last.meta.id)
steps: [{{id: stop, end: {{}}}}]
""")

EVENTS = st.lists(
    st.tuples(st.sampled_from(["seen", "told", "put"]), st.integers(0, 2), st.integers(0, 60)),
    max_size=9,
    unique_by=lambda event: event[2],
)


def expected(events: list[tuple[str, int, int]]) -> set[int]:
    """The last events, by their times, of every choice of three events that fits."""
    ordered = sorted(events, key=lambda event: event[2])
    return {
        last[2]
        for first, other, last in combinations(ordered, 3)
        if first[0] == last[0] == "seen"
        and other[0] in {"seen", "told"}
        and first[1] == last[1] != other[1]
        and last[2] - first[2] <= WITHIN
    }


@settings(max_examples=80, deadline=None)
@given(EVENTS, st.randoms(use_true_random=False), st.booleans())
def test_every_order_of_arrival_completes_the_same(
    events: list[tuple[str, int, int]], random: object, again: bool
) -> None:
    arrival = list(events) * (2 if again else 1)
    random.shuffle(arrival)  # type: ignore[attr-defined]
    play = Play(PROGRAM)
    for number, (type_, n, time) in enumerate(arrival):
        play.comes(type_, 100 * S + number, happened=time * S, id_=f"e{time}", n=n)
    entered = [int(note.detail["key"][1:]) for note in play.notes("entered")]
    assert len(entered) == len(set(entered))
    assert set(entered) == expected(events)
