"""A scenario that cannot be reopened: whether it exists at all is told from whether it is stopped."""

from orchestrator.cli.reopen import _why_not as why_not


def test_a_scenario_that_nobody_wrote_is_told_so_with_what_looks_like_it() -> None:
    assert why_not("cart_rescu", {"cart_rescue", "welcome"}, {"welcome"}) == (
        "cart_rescu is no scenario of the live bundle; did you mean 'cart_rescue'?; stopped: welcome"
    )
    assert why_not("nosuch", {"cart_rescue"}, {}) == "nosuch is no scenario of the live bundle; stopped: none"


def test_a_scenario_that_goes_on_is_not_stopped() -> None:
    assert why_not("welcome", {"welcome"}, ()) == "welcome is not stopped; stopped: none"
    assert why_not("welcome", None, ()) == "welcome is not stopped; stopped: none"
