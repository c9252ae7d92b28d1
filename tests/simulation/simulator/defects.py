"""Defects planted in the real code, one at a time: each must break a promise within so many seeds.

A defect that is not noticed means that the simulator does not look where it should.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final, NamedTuple

from orchestrator.engine import advance, consent, recalls, releases
from orchestrator.engine.advance import Advance
from orchestrator.engine.gates import caps, channel
from orchestrator.engine.identity import handlers, merge, route
from orchestrator.engine.identity.rules import IdentityRules
from orchestrator.engine.program import older, plan
from orchestrator.model import ring
from orchestrator.rehearsal import retiring
from orchestrator.stream.lane import core, facts, partition, step, ticks
from orchestrator.stream.table import PartitionTable
from tests.simulation.simulator import delivery, worker, wrong_customers, wrong_lane, wrong_messages
from tests.simulation.simulator.planting import Patch, always, both, replaced
from tests.simulation.simulator.play import Draw, run_seed
from tests.simulation.simulator.story import (
    draw_apart,
    draw_deep,
    draw_denied,
    draw_echoes,
    draw_erased,
    draw_handed,
    draw_haunted,
    draw_releases,
    draw_restless,
    draw_retired,
    draw_shown,
    draw_skew,
    draw_stock,
    draw_story,
)


class Defect(NamedTuple):
    """What is broken, how, and within how many seeds, drawn in which way, that is noticed."""

    name: str
    plant: Patch
    within: int
    draw: Draw = draw_story


def caught_by(defect: Defect) -> int | None:
    """The first seed that notices, None where none does within the limit."""
    with planted(defect):
        return next((seed for seed in range(defect.within) if run_seed(seed, defect.draw) is not None), None)


@contextmanager
def planted(defect: Defect) -> Iterator[None]:
    """The real code with one defect in it."""
    with ExitStack() as stack:
        defect.plant(stack)
        yield


DEFECTS: Final = (
    Defect(
        "sends leave before the changelog is acknowledged",
        replaced(worker.Ownership, "_moves", wrong_lane.send_first),
        400,
    ),
    Defect(
        "offsets are committed before anything is durable",
        replaced(worker.Ownership, "process", wrong_lane.commit_first),
        60,
    ),
    Defect("recovery forgets the outboxes", replaced(core, "unsent", always([])), 100),
    Defect("recovery ends a record too early", replaced(PartitionTable, "restore", wrong_lane.half_recovered), 60),
    Defect(
        "a try that is taken back leaves its nodes", replaced(partition.Partition, "undo", wrong_lane.nodes_stay), 60
    ),
    Defect("the release of such a try stays", replaced(partition.Partition, "undo", wrong_lane.release_stays), 1000),
    Defect(
        "what such a try found due is due no more", replaced(partition.Partition, "undo", wrong_lane.dues_stay), 400
    ),
    Defect("recovery forgets who is due", replaced(partition.Partition, "rebuild", wrong_lane.indexes_lost), 200),
    Defect(
        "recovery forgets who waits for facts",
        replaced(partition.Partition, "all_waiting", always([])),
        1000,
        draw_stock,
    ),
    Defect(
        "two owners have the same number", replaced(worker.Ownership, "fenced", wrong_lane.unfenced), 1000, draw_haunted
    ),
    Defect(
        "live state is kept across a revoke", replaced(core.CustomerCore, "assigned", wrong_lane.live_state_kept), 400
    ),
    Defect("the zombie rule is off", replaced(core.CustomerCore, "accepts", wrong_lane.any_writer), 200, draw_haunted),
    Defect(
        "outbox entries go with the commit before theirs",
        replaced(partition, "drop_committed", wrong_lane.stale_commits),
        400,
    ),
    Defect(
        "a later record of its topic makes an event a replay",
        replaced(step.Step, "_replayed", wrong_lane.replays_by_mark),
        1000,
        draw_deep,
    ),
    Defect(
        "what was shown travels as an event without content",
        replaced(step.Step, "pass_on", wrong_lane.shown_travels_empty),
        200,
        draw_shown,
    ),
    Defect("what nobody owned is not in the outbox", replaced(ticks, "_unowned", wrong_lane.waiting_thrown), 1000),
    Defect(
        "a moving node fires its timers",
        both(
            replaced(ticks, "_timers", wrong_lane.tick_for_all),
            replaced(partition, "node_due", wrong_lane.moving_is_due),
        ),
        200,
    ),
    Defect(
        "membership is not asked",
        both(
            replaced(route, "destination", wrong_customers.everybody_is_member),
            replaced(step, "destination", wrong_customers.everybody_is_member),
        ),
        300,
    ),
    Defect("events are counted as often as they come", replaced(handlers, "seen", always(False)), 40),
    Defect(
        "the dedupe window stays behind at a move",
        replaced(merge, "_join_identity", wrong_customers.window_left_behind),
        300,
    ),
    Defect(
        "the dedupe window stays behind at a cut",
        replaced(handlers, "cut", wrong_customers.cut_without_window),
        200,
        draw_echoes,
    ),
    Defect("a parcel is absorbed twice", replaced(handlers, "on_absorb", wrong_customers.absorb_again), 300),
    Defect("a move does not raise the epoch", replaced(handlers, "move", wrong_customers.same_epoch), 200),
    Defect("unique limits are not checked", replaced(handlers, "over_unique", always(False)), 200),
    Defect("a refusal is not heard", replaced(handlers, "on_refused", always(None)), 300),
    Defect("a parcel's arrival is not heard", replaced(handlers, "on_home", always(None)), 60),
    Defect(
        "only the mover hears where home is", replaced(handlers, "_take_in", wrong_customers.home_to_mover_only), 300
    ),
    Defect(
        "a split of another epoch counts",
        replaced(handlers, "on_split", wrong_customers.split_any_epoch),
        1000,
        draw_echoes,
    ),
    Defect(
        "late evidence takes a browser back", replaced(handlers, "on_link", wrong_customers.late_evidence_counts), 400
    ),
    Defect("the weaker name wins", replaced(IdentityRules, "stronger", wrong_customers.weaker_wins), 60),
    Defect(
        "only the first other identifier is linked",
        replaced(handlers, "_evidence", wrong_customers.link_forgotten),
        300,
    ),
    Defect(
        "newer evidence is not remembered",
        replaced(handlers, "_evidence", wrong_customers.since_ignored),
        400,
        draw_handed,
    ),
    Defect(
        "a seed leaves the family behind",
        replaced(handlers, "on_split", wrong_customers.seed_without_family),
        1000,
        draw_echoes,
    ),
    Defect("an erased node does not answer", replaced(handlers, "tell_receipt", wrong_customers.silent), 300),
    Defect("contacts of one half are forgotten", replaced(merge, "_union", wrong_customers.contacts_dropped), 400),
    Defect("the timeline of one half is forgotten", replaced(ring, "join", wrong_customers.one_half_only), 100),
    Defect("the looser consent wins", replaced(merge, "_stricter", wrong_customers.consent_looser), 1000),
    Defect("entries that wait are forgotten", replaced(Advance, "event", wrong_customers.entries_do_not_wait), 300),
    Defect("timers act early", replaced(Advance, "timers", wrong_customers.early), 400),
    Defect("an event ends the wait of an entry", replaced(Advance, "event", wrong_customers.events_end_waits), 400),
    Defect(
        "the wait of an entry ends with its second",
        replaced(Advance, "_wait_or_ask", wrong_customers.nobody_is_asked),
        400,
    ),
    Defect(
        "an instance of a release to come goes by the one before",
        both(
            replaced(plan.Program, "scenario", wrong_lane.newest_known),
            replaced(older, "is_to_come", always(False)),
            replaced(releases, "is_to_come", always(False)),
        ),
        1000,
        draw_skew,
    ),
    Defect(
        "who is on a retired release is not looked for",
        both(
            replaced(retiring, "_needed", always({})),
            replaced(partition.Partition, "look_for_sleepers", always(None)),
        ),
        1000,
        draw_retired,
    ),
    Defect(
        "a retired release that somebody is on is not built",
        replaced(core.CustomerCore, "wake", wrong_lane.forgets_only),
        1000,
        draw_retired,
    ),
    Defect("who follows moves twice", replaced(releases, "_go_over", wrong_lane.moved_again), 400, draw_releases),
    Defect(
        "recovery forgets the release",
        replaced(core.CustomerCore, "assigned", wrong_lane.release_forgotten),
        400,
        draw_releases,
    ),
    Defect(
        "recovery forgets the visits",
        replaced(partition.Partition, "begin_visits", wrong_lane.visits_forgotten),
        200,
        draw_restless,
    ),
    Defect("a half goes through what the other has been through", replaced(handlers, "had_already", always([])), 1000),
    Defect(
        "visits are told before those whom they reached",
        replaced(partition.Partition, "encode_dirty", wrong_lane.ownership_first),
        1000,
        draw_restless,
    ),
    Defect("a cap counts late", replaced(caps, "_counts", wrong_messages.counted_late), 400),
    Defect("who said no is written to", replaced(channel, "may_be_sent", wrong_messages.denials_ignored), 400),
    Defect(
        "a denial recalls nothing",
        both(replaced(consent, "recall_denied", always(None)), replaced(advance, "recall_denied", always(None))),
        200,
        draw_denied,
    ),
    Defect(
        "a merge with who has said no recalls nothing",
        replaced(advance, "recall_denied", always(None)),
        600,
        draw_denied,
    ),
    Defect(
        "a recall goes by the newest person id",
        both(
            replaced(recalls, "withdrawal", wrong_messages.newest_person),
            replaced(advance, "withdrawal", wrong_messages.newest_person),
        ),
        600,
        draw_denied,
    ),
    Defect("delivery forgets what it has sent", replaced(delivery, "on_send", wrong_messages.everything_is_new), 200),
    Defect(
        "a recall does not stop retries",
        replaced(delivery, "on_withdraw", wrong_messages.retries_go_on),
        200,
        draw_denied,
    ),
    Defect(
        "a refusal is forgotten by who refused",
        replaced(handlers, "on_absorb", wrong_messages.marks_dropped),
        1000,
        draw_apart,
    ),
    Defect(
        "who was taken off comes back",
        replaced(handlers, "_are_rivals", always(False)),
        400,
        draw_apart,
    ),
    Defect(
        "who was taken off comes back with somebody else",
        replaced(handlers, "_refuses_parcel", wrong_messages.parcels_only_counted),
        400,
        draw_apart,
    ),
    Defect(
        "what waits for a reference is dropped when its owner comes",
        replaced(step, "claim", wrong_messages.waiting_dropped),
        200,
    ),
    Defect("an older row overwrites a newer one", replaced(facts, "change_row", wrong_messages.last_word_wins), 200),
    Defect("what is late begins journeys", replaced(Advance, "event", wrong_messages.nothing_is_late), 200),
    Defect("an erased customer takes in older events", replaced(step, "on_event", wrong_messages.wiped_ignored), 400),
    Defect(
        "a batch is committed before the one before it",
        replaced(worker.Ownership, "skip_empty", wrong_messages.done_in_any_order),
        200,
        draw_deep,
    ),
    Defect(
        "orders of who is erased on their way stay theirs",
        replaced(handlers, "_count_as_erased", wrong_messages.references_kept),
        200,
        draw_erased,
    ),
    Defect(
        "a copy gives an order back to who was erased",
        replaced(step, "claim", wrong_messages.copies_claim),
        400,
        draw_erased,
    ),
    Defect(
        "a merge leaves references behind",
        replaced(merge, "_join_belongings", always(None)),
        200,
        draw_erased,
    ),
    Defect("two tasks of a queue and key stay two", replaced(advance, "fold_tasks", always(None)), 600),
)
