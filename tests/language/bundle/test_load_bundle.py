"""From files to a bundle: what the documents hold, how conditions are typed, what settings do."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from orchestrator.language.bundle import Bundle, EventSchemas, load_bundle
from orchestrator.language.cel import DOUBLE, STRING, Timestamp
from orchestrator.language.spec import steps
from orchestrator.language.spec.values import Instant, Per, Text

TEXT = {"type": "string"}
SCHEMAS = EventSchemas.from_topics(
    [
        {"topic": "actions"},
        {
            "topic": "channel.web",
            "events": {
                "order_placed": {
                    "properties": {
                        "order": TEXT,
                        "total": {"type": "number"},
                        "items": {"type": "array", "items": TEXT},
                    },
                    "required": ["order", "total"],
                },
                "product_viewed": {"properties": {"sku": TEXT}, "required": ["sku"]},
            },
        },
        {
            "topic": "channel.app",
            "events": {"product_viewed": {"properties": {"sku": {"type": "integer"}, "screen": TEXT}}},
        },
    ]
)
GROUND = """
channels: all
define: {email: {sends: push, address: email}, web: {sends: pull}, app: {sends: pull}}
---
identity: default
namespaces: {user_id: unique, email: unique}
---
events: all
define:
  order_placed: {channel: [web], derive: {first_item: 'event.items[0]'}}
  product_viewed: {channel: [web, app]}
---
content: em.hello
class: service
variants: {email: {subject: {fr: Salut, de: Hallo}, body_file: "texts/hello.{language}.liquid"}}
"""
FILES = {
    "ground.yaml": GROUND.encode(),
    "texts/hello.fr.liquid": b"Salut {{ name }}",
    "texts/hello.de.liquid": b"Hallo {{ name }}",
}


def loaded(text: str, **more: bytes) -> Bundle:
    result = load_bundle({**FILES, "story.yaml": text.encode(), **more}, SCHEMAS)
    assert [f"{one.position} {one.message}" for one in result.diagnostics if one.code.startswith("E-")] == []
    assert result.bundle is not None
    return result.bundle


def problems(text: str) -> list[str]:
    result = load_bundle({**FILES, "story.yaml": text.encode()}, SCHEMAS)
    return [one.message for one in result.diagnostics if one.position.file == "story.yaml" and one.code != "W-UNUSED"]


def test_a_scenario_holds_values_not_texts() -> None:
    scenario = loaded(
        """
scenario: story
holdout: 12.5%
entry: {at: 2026-03-02T11:00:00+01:00, re_entry: {after: 7d}}
audience: profile.known
goal: {on: order_placed}
steps:
  - {id: wait, delay: {time: "08:30", days_later: 1}}
  - {id: mail, send: {content: em.hello, with: {n: 3, on: true}}}
"""
    ).scenarios["story"]
    assert scenario.holdout == 0.125
    assert scenario.lives == 90 * 86_400_000
    assert scenario.entry.at_ == Instant(1_772_445_600_000, local=False)
    assert scenario.entry.re_entry.after == 7 * 86_400_000  # type: ignore[union-attr]
    assert scenario.goal is not None
    assert (scenario.goal.on, scenario.goal.where) == (("order_placed",), None)
    wait, mail = scenario.steps
    assert isinstance(wait.body, steps.Delay)
    assert (wait.kind, wait.body.time, wait.body.days_later) == ("delay", 8 * 60 + 30, 1)
    assert isinstance(mail.body, steps.Send)
    assert mail.body.channel == ("preferred",)
    assert {name: value.evaluate(None) for name, value in mail.body.with_.items()} == {"n": 3, "on": True}
    assert (scenario.at.line, mail.id_at.line) == (2, 9)


def test_branches_are_in_file_order_with_their_labels() -> None:
    scenario = loaded(
        """
scenario: story
entry: {on: order_placed}
exit: [{on: order_placed, reason: again}]
steps:
  - id: answer
    wait_until:
      any: [{name: seen, on: product_viewed, then: [{id: a, end: {}}]}, {name: bought, on: order_placed}]
      timeout: 3d
    on_timeout: [{id: b, end: {}}]
  - id: which
    split: [{when: profile.known, then: [{id: c, end: {}}]}]
    else: [{id: d, end: {}}]
"""
    ).scenarios["story"]
    answer, which = scenario.steps
    assert [(label, [step.id for step in branch]) for label, branch in answer.branches] == [
        ("seen", ["a"]),
        ("bought", []),
        ("on_timeout", ["b"]),
    ]
    assert [label for label, _ in which.branches] == ["1", "else"]
    assert which.else_[0].id == "d"


def test_conditions_are_compiled_where_they_stand() -> None:
    scenario = loaded(
        """
scenario: story
entry: {on: order_placed, where: event.total >= 50 && event.order == "o-1", each: event.items, key: item}
steps: [{id: mail, send: {content: em.hello, with: {item: entry.item, first: entry.first_item}}}]
"""
    ).scenarios["story"]
    where = scenario.entry.where
    assert where is not None
    assert where.evaluate(SimpleNamespace(event={"total": 50.0, "order": "o-1"})) is True
    assert ((("event", "order"), frozenset({"o-1"}))) in where.equalities
    assert isinstance(scenario.steps[0].body, steps.Send)
    assert {name: value.type.plain for name, value in scenario.steps[0].body.with_.items()} == {
        "item": STRING,
        "first": STRING,
    }


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("event.totl > 3", "`event` has no field `totl`"),
        ("event.sku > 3", "`event` has no field `sku`"),
        ("event.email == 'a@b.c' && event.meta.chanel == 'web'", "`event.meta` has no field `chanel`"),
        ("profile.consent.fax.product", "`profile.consent` has no field `fax`"),
        ("entry.total > 3", "unknown name `entry`"),
        ("ask.channel == 'web'", "unknown name `ask`"),
        ("event.order", "a bool is needed here, this is a string"),
    ],
)
def test_names_out_of_scope_and_properties_that_are_not_there(condition: str, says: str) -> None:
    text = f"""
scenario: story
entry: {{on: order_placed, where: "{condition}"}}
steps: [{{id: mail, send: {{content: em.hello}}}}]
"""
    assert problems(text) == [says]


def test_events_of_one_list_lend_each_other_their_properties() -> None:
    where = "has(event.sku) ? event.order != null : event.total > 3"
    assert problems(f"scenario: s\nentry: {{on: [order_placed, product_viewed], where: '{where}'}}\nsteps: []\n") == []


def test_traits_are_typed_through_each_other_and_through_derived_properties() -> None:
    bundle = loaded(
        """
traits: default
define:
  viewed: {last: event.sku, on: web.product_viewed}
  total: {sum: event.total, on: order_placed}
  per_item: {per: item, each: event.items, last: event.total, on: order_placed}
  bought: {last: event.first_item, on: order_placed}
  twice: {compute: 'profile.total * 2.0 + profile.per_item["a"]'}
  tagged: {first: [{label: ad, on: order_placed, value: event.order}]}
---
segment: big
where: profile.twice > 100 && profile.bought == profile.viewed && profile.tagged_label == "ad"
"""
    )
    assert bundle.traits["twice"].compute is not None
    assert bundle.traits["twice"].compute.type == DOUBLE
    assert problems(
        "traits: a\ndefine: {t: {last: event.order, on: order_placed}}\n---\nsegment: s\nwhere: profile.t > 3\n"
    )


def test_a_keyed_trait_is_a_map() -> None:
    bundle = loaded(
        """
traits: default
define:
  score: {per: event.sku, score: [{on: product_viewed, add: 1}]}
  stage: {per: key_of(score), choose: [{when: 'profile.score[key] > 20.0', is: decide}], else: discover}
---
segment: deciding
where: 'profile.stage["lumo-1"] == "decide"'
"""
    )
    where = bundle.segments["deciding"].where
    assert where.evaluate(SimpleNamespace(profile={"stage": {"lumo-1": "decide"}})) is True
    assert bundle.traits["stage"].per is not None
    assert bundle.traits["stage"].per.trait == "score"


def test_rows_of_facts_come_from_csv_and_yaml_and_lend_their_columns() -> None:
    story = """
facts: price
key: event.sku
file: prices.csv
---
facts: place
key: event.store + "/" + event.city
file: data/places.yaml
---
segment: cheap
where: price("lumo-1") < 200 && facts.price["lumo-1"].sku == "lumo-1" && facts.place["s/lyon"].flagship
"""
    files = {
        "prices.csv": b'sku,price\nlumo-1,199.5\n"a,b",3\n',
        "data/places.yaml": b"- {store: s, city: lyon, flagship: true}\n",
    }
    bundle = loaded(story, **files)
    assert bundle.rows["price"] == {"lumo-1": {"sku": "lumo-1", "price": 199.5}, "a,b": {"sku": "a,b", "price": 3}}
    assert bundle.rows["place"] == {"s/lyon": {"store": "s", "city": "lyon", "flagship": True}}
    wrong = story.replace("flagship", "flagshop")
    result = load_bundle({**FILES, "story.yaml": wrong.encode(), **files}, SCHEMAS)
    assert [(one.code, one.hint) for one in result.diagnostics if one.code == "E-CEL"] == [
        ("E-CEL", "did you mean `flagship`?")
    ]


def test_texts_are_found_by_language_beside_the_document() -> None:
    bundle = loaded("segment: all\nwhere: profile.known\n")
    variant = bundle.contents["em.hello"].variants["email"]
    assert variant.body_file is not None
    assert bundle.texts_of(variant.body_file, variant.at.file) == {"fr": "Salut {{ name }}", "de": "Hallo {{ name }}"}
    assert variant.subject == Text({"fr": "Salut", "de": "Hallo"})
    assert variant.subject.in_language("it", "de") == "Hallo"


def test_the_release_is_the_content_of_all_files() -> None:
    one = loaded("segment: all\nwhere: profile.known\n")
    same = loaded("segment: all\nwhere: profile.known\n")
    other = loaded("segment: all\nwhere: profile.known # a comment\n")
    assert one.release == same.release != other.release
    assert set(one.files) == {*FILES, "story.yaml"}


def test_a_warning_can_be_accepted_with_a_reason() -> None:
    segment = "segment: unused\nwhere: profile.known\n---\nbundle: b\nlanguage: fr\n"
    accept = "accept: [{code: W-UNUSED, reason: used by the data team}]\n"
    before = load_bundle({**FILES, "s.yaml": segment.encode()}, SCHEMAS)
    after = load_bundle({**FILES, "s.yaml": (segment + accept).encode()}, SCHEMAS)
    assert {one.code for one in before.diagnostics} == {"W-UNUSED"}
    assert after.diagnostics == ()
    assert problems("bundle: b\naccept: [{code: W-UNSUED, reason: x}]\n") == ["no check `W-UNSUED` is declared"]


def test_strict_makes_warnings_refuse() -> None:
    segment = "segment: unused\nwhere: profile.known\n---\nbundle: b\n"
    assert load_bundle({**FILES, "s.yaml": segment.encode()}, SCHEMAS).bundle is not None
    assert load_bundle({**FILES, "s.yaml": (segment + "strict: true\n").encode()}, SCHEMAS).bundle is None


def test_without_a_policy_nothing_is_held_back_and_push_channels_are_in_order() -> None:
    bundle = loaded("segment: all\nwhere: profile.known\n")
    assert bundle.policy.caps == ()
    assert bundle.policy.preferred_order == ("email",)
    assert bundle.policy.one_per_moment == ("marketing",)
    assert bundle.settings.lateness == 600_000


def test_windows_of_caps_roll_or_follow_the_calendar() -> None:
    policy = loaded("policy: p\npreferred_order: [email]\ncaps: [{limit: 1, per: 24h}, {limit: 9, per: week}]\n").policy
    assert [cap.per for cap in policy.caps] == [Per(ms=86_400_000), Per(calendar="week")]


def test_a_slot_answers_to_all_its_names() -> None:
    bundle = loaded("slot: web.hero\nalso: [app.hero]\ncandidates: [{content: em.hello}]\ndefault: none\n")
    assert bundle.slots["app.hero"] is bundle.slots["web.hero"]
    assert bundle.slots["web.hero"].default is None


def test_a_timestamp_is_needed_where_a_time_is() -> None:
    bundle = loaded(
        """
scenario: story
entry: {on: order_placed}
exit: [{on: order_placed, reason: again}]
steps: [{id: wait, delay: {until: 'entry.meta.time + duration("1h")'}}]
"""
    )
    body = bundle.scenarios["story"].steps[0].body
    assert isinstance(body, steps.Delay)
    assert body.until is not None
    found = body.until.evaluate(SimpleNamespace(entry={"meta": {"time": Timestamp.of_ms(1_000)}}))
    assert found.ms == 3_601_000


def test_reserved_property_names_are_refused_in_schemas() -> None:
    with pytest.raises(ValueError, match=r"`meta` of web\.x collides"):
        EventSchemas.from_topics([{"topic": "channel.web", "events": {"x": {"properties": {"meta": TEXT}}}}])
