"""Every bench still runs on what it says: a new check of lint or a change of the engine must not end one unnoticed."""

from __future__ import annotations

import time

from bench import engine, fan_out, lint, scenario_tests
from bench.j1 import storm, workload
from orchestrator.engine.facts import Facts
from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.rehearsal.suite import chosen, play
from orchestrator.stream.lane.core import CustomerCore

CUSTOMERS = 20
SCENARIOS = 40


def test_lint_finds_nothing_in_the_bundle_it_is_timed_on() -> None:
    assert load_bundle(lint.bundle_files(SCENARIOS), lint.event_schemas()).diagnostics == ()


def test_every_customer_of_j1_gets_the_actions_and_the_sums_that_the_figures_are_checked_by() -> None:
    core = CustomerCore(workload.program(SCENARIOS), Facts(), ("channel.web",), 1)
    _, table, sends = engine.drive(core, CUSTOMERS, time.process_time)
    engine.check(table, sum(send.topic == "actions" for send in sends), CUSTOMERS)


def test_the_storm_of_links_runs_on_j1s_bundle() -> None:
    assert len(storm.program(SCENARIOS).scenarios) == SCENARIOS


def test_fan_out_measures_scenarios_that_match() -> None:
    assert fan_out.rate(workload.program(SCENARIOS, fan_out.matching(2)), fan_out.records(CUSTOMERS)) > 0


def test_the_stories_whose_speed_is_measured_hold_and_the_one_that_must_not_fails() -> None:
    bundle = load_bundle(scenario_tests.bundle_files(copies=1), EventSchemas()).bundle
    assert bundle is not None
    *stories, failing = play(bundle, chosen(bundle))
    assert [story.failures for story in stories] == [()] * len(scenario_tests.TESTS)
    assert failing.failures
