"""Who waits for which fact: also where the condition names it only through a segment or a computed trait."""

import pytest
from play import M, Play, program_of

BUILT = """
traits: built
define:
  bought_out: {compute: 'stock("B") == 0', default: false}
  level: {choose: [{when: 'stock("C") > 5', is: many}, {when: 'profile.bought_out', is: none}], else: some}
  cart: {basket: {id: event.cart, add: put, remove: taken, empty: emptied}}
---
segment: served
where: profile.level == "many"
"""


def waiting(condition: str) -> str:
    return f"""
scenario: wait
entry: {{on: seen}}
steps: [{{id: until, wait_until: {{when: '{condition}', timeout: 9d}}}}, {{id: say, emit: {{event: seen}}}}]
"""


@pytest.mark.parametrize(("condition", "facts"), [
    ('stock("A") > 0', {"stock/A"}),
    ('facts.price["A"].price < 5.0', {"price"}),
    ("profile.bought_out", {"stock/B"}),
    ('profile.level == "none"', {"stock/B", "stock/C"}),
    ('in_segment("served")', {"stock/B", "stock/C"}),
    ('"served" in profile.segments', {"stock/B", "stock/C"}),
    ("profile.cart.total > 5.0", {"price"}),
    ("profile.known", set()),
])  # fmt: skip
def test_a_wait_reads_these_facts(condition: str, facts: set[str]) -> None:
    program = program_of(BUILT, waiting(condition))
    assert program.scenarios["wait"].steps["until"].facts == facts


def test_who_waits_for_a_segment_goes_on_when_the_fact_behind_it_changes() -> None:
    play = Play(program_of(BUILT, waiting('in_segment("served")')))
    play.comes("seen", 0)
    play.passes(5 * M)
    assert play.emitted == []
    play.comes("level", 6 * M, "", channel="stock", sku="C", place="shop", qty=9)
    play.passes(7 * M)
    assert len(play.emitted) == 1
