"""Stories of the bundle itself: what is refused before it is published, and a house that begins with its website.

Each is played on the shipped bundle with one thing changed, as a marketer would change it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import pytest

from orchestrator.engine.program.build import build_program
from orchestrator.kpis.contents import said
from orchestrator.language.bundle import load_bundle
from orchestrator.language.bundle.inventory import grid, inventory
from orchestrator.language.source.diagnostic import Severity
from orchestrator.model.effect import Action
from orchestrator.model.ids import node_key
from orchestrator.rehearsal.asking import ask, context
from orchestrator.rehearsal.counting import play as count_play
from orchestrator.rehearsal.folder import read_files, schemas
from orchestrator.rehearsal.recorded import Recorded
from orchestrator.rehearsal.replay import replay
from orchestrator.rehearsal.replay_report import as_text
from orchestrator.rehearsal.world import World

if TYPE_CHECKING:
    from orchestrator.engine.program.plan import Program
    from orchestrator.language.bundle import Bundle, LoadResult
    from orchestrator.language.source import Diagnostic

START = 1_772_442_000_000
"""Monday, 2 March 2026, 10:00 in Paris."""
MINUTE, HOUR = 60_000, 3_600_000
LATER = ("app", "chat", "chatbot", "push", "sms", "social", "store", "voice", "agent", "helpcenter")
"""Channels that the house does not have yet when it begins with its website and e-mail."""


@cache
def shipped() -> dict[str, bytes]:
    return read_files(Path("scenarios"))


def published(**added: str) -> LoadResult:
    """The shipped bundle with files added (or replaced), as publishing reads it."""
    files = {path.replace("__", "/") + ".yaml": text.encode() for path, text in added.items()}
    return load_bundle({**shipped(), **files}, schemas(Path("topics")))


def sound(result: LoadResult) -> Bundle:
    assert result.bundle is not None, [str(one) for one in result.diagnostics]
    return result.bundle


@cache
def live() -> Program:
    return build_program(sound(published()))


def found(result: LoadResult, code: str) -> list[Diagnostic]:
    return [one for one in result.diagnostics if one.code == code]


def event(at: int, channel: str, type_: str, ids: dict[str, str], **data: Any) -> Recorded:
    """An event as it stands on its channel's topic."""
    named = {**ids, **data}
    raw = msgspec.json.encode({"id": f"{channel}-{type_}-{at}", "source": "site", "type": type_, "data": named})
    return Recorded(START + at, f"channel.{channel}", raw, named)


def play(world: World, *events: Recorded) -> None:
    """Let them arrive."""
    for one in events:
        nodes = world.program.identity.identifiers(one.data)
        world.arrive(one.topic, node_key("default", nodes[0]) if nodes else None, one.value, one.at)


def sent(world: World) -> list[tuple[str, str]]:
    """What was sent: content and channel."""
    effects = [one.effect for one in world.record.happenings]
    return [(effect.content, effect.channel) for effect in effects if isinstance(effect, Action)]


class TestAuto06CertainMessagesOnlyAreAutomated:
    """AUTO-06: scenarios are identified beforehand; a slip in one is refused, and what a new one would do is known."""

    WINTER = (
        "scenario: winter_cart\naudience: profile.known\nentry: {on: cart_item_added}\n"
        "steps:\n  - {id: night, delay: {for: 12h}}\n"
        "  - {id: write, send: {content: em.winter, channel: email}}\n---\n"
        "content: em.winter\nclass: service\nvariants: {email: {subject: Au chaud, body: Il vous attend.}}\n"
    )

    def test_auto_06_a_misspelt_event_is_refused_with_its_line_and_the_nearest_name(self) -> None:
        result = published(winter=self.WINTER.replace("cart_item_added", "cart_item_aded"))
        (slip,) = found(result, "E-EVENT")
        assert result.bundle is None, "none of it is published, also not what is right"
        assert (slip.position.file, slip.position.line) == ("winter.yaml", 3)
        assert slip.hint == "did you mean `cart_item_added`?"

    def test_auto_06_a_story_without_an_end_is_pointed_out_and_published_all_the_same(self) -> None:
        result = published(winter=self.WINTER)
        assert [one.position.file for one in found(result, "W-NO-EXIT")] == ["winter.yaml"]
        assert result.bundle is not None

    def test_auto_06_a_dry_run_says_who_would_have_got_what_and_sends_nothing(self) -> None:
        candidate = build_program(sound(published(winter=self.WINTER)))
        ben = {"user_id": "u-ben", "email": "ben@example.com"}
        recorded = [
            event(0, "web", "page_viewed", {"anonymous_id": "a9"}, page="/lp/lumo-1"),
            event(MINUTE, "web", "cart_item_added", ben, sku="lumo-1", qty=1, cart="ct-1"),
        ]
        told = replay(live(), candidate, recorded, START, onward=24 * HOUR)
        assert [(one.kind, one.act.what, one.act.node, one.act.at - START) for one in told.differences] == [
            ("added", "em.winter", "user_id:u-ben", MINUTE + 12 * HOUR)
        ]
        assert candidate.release != live().release

    def test_auto_06_a_dry_run_says_what_would_have_been_shown_elsewhere(self) -> None:
        text = shipped()["cart/cart.yaml"].decode()
        moved = text.replace("slots: [app.home.card]", "slots: [web.home.hero]").replace("timeout: 23h", "timeout: 22h")
        candidate = build_program(sound(published(cart__cart=moved)))
        ben = {"user_id": "u-ben", "email": "ben@example.com"}
        recorded = [
            event(0, "stock", "level_changed", {}, sku="lumo-1", location="web", qty=3),
            event(0, "web", "order_placed", ben, order="o-1", items=["lumo-filter"], total=29.0),
            event(MINUTE, "web", "cart_item_added", ben, sku="lumo-1", qty=1, cart="ct-1"),
        ]
        told = replay(live(), candidate, recorded, START, onward=30 * HOUR)
        (card,) = [one for one in told.differences if one.act.kind == "show"]
        assert card.before is not None
        assert card.after is not None
        assert (card.before.how, card.after.how, card.after.at - card.before.at) == (
            "app.home.card",
            "web.home.hero",
            -HOUR,
        )
        assert (
            "placed ct.cart-waits in web.home.hero, 1h earlier, instead of ct.cart-waits in app.home.card"
            in as_text(told, len(recorded), 1, "Europe/Paris")
        )


class TestTp07TouchpointsAreIdentifiedFirst:
    """TP-07: a channel that the house has not declared is no channel."""

    CONTENT = "content: fx.order\nvariants: {fax: {text: Votre commande}}\n"
    MESSAGE = (
        "scenario: by_fax\nentry: {on: order_placed}\n"
        "steps:\n  - {id: tell, send: {content: em.answer, channel: fax}}\n"
    )

    @pytest.mark.parametrize(("text", "line"), [(CONTENT, 2), (MESSAGE, 4)], ids=["a content", "a message"])
    def test_tp_07_an_undeclared_channel_is_refused_where_it_stands(self, text: str, line: int) -> None:
        result = published(by_fax=text)
        (slip,) = found(result, "E-TOUCHPOINT")
        assert result.bundle is None
        assert (slip.position.file, slip.position.line) == ("by_fax.yaml", line)
        assert "fax" in slip.message


class TestSocOneVoiceOnAllNetworks:
    """SOC-02 and the checks of SOC-01 and SOC-06: what a campaign says, it says alike, and one knows before."""

    POST = (
        "content: post.summer\ncampaign: spring\nclass: service\nclaims: {{price: 199.0, image: img-1}}\n"
        "variants:\n"
        "  facebook: {{text: Respirez., image: img-1, hashtags: [{facebook}], claims: {{address: vous}}}}\n"
        "  instagram: {{text: Respirez., image: img-1, hashtags: [{instagram}], claims: {{address: {address}}}}}\n"
    )
    COHERENT: ClassVar = {"facebook": "lumo", "instagram": "lumo, respirezmieux", "address": "vous"}

    def test_soc_06_a_coherent_campaign_is_told_of_by_nothing(self) -> None:
        result = published(post=self.POST.format(**self.COHERENT))
        assert [
            str(one) for one in result.diagnostics if one.position.file == "post.yaml" and one.code != "W-UNUSED"
        ] == []

    def test_soc_02_another_form_of_address_is_a_warning_with_both_places(self) -> None:
        result = published(post=self.POST.format(**{**self.COHERENT, "address": "tu"}))
        (tone,) = found(result, "W-TONE")
        assert result.bundle is not None, "it may be published"
        assert (tone.position.line, tone.other.line if tone.other else 0) == (7, 6)
        assert "`tu`" in tone.message
        assert "`vous`" in tone.message

    def test_soc_01_each_network_has_its_own_style(self) -> None:
        result = published(
            post=self.POST.format(facebook="a, b, c", instagram="", address="vous").replace(", hashtags: []", "")
        )
        assert [one.position.line for one in found(result, "W-NETWORK-STYLE")] == [6, 7]

    def test_soc_06_another_price_on_one_channel_is_refused(self) -> None:
        text = self.POST.format(**self.COHERENT).replace("address: vous}}\n  instagram", "price: 189.0}}\n  instagram")
        (other,) = found(published(post=text), "E-COHERENCE")
        assert "price" in other.message
        assert other.other is not None


class TestCnt04ExistingContentIsReused:
    """CNT-04: a scenario refers to what there is; gaps are seen before anybody falls into one."""

    def test_cnt_04_a_content_that_does_not_exist_is_refused(self) -> None:
        text = "scenario: thanks\nentry: {on: order_placed}\nsteps: [{id: tell, send: {content: em.anwser}}]\n"
        result = published(thanks=text)
        (slip,) = found(result, "E-CONTENT")
        assert result.bundle is None
        assert slip.hint == "did you mean `em.answer`?"

    def test_cnt_04_a_channel_that_has_nothing_to_say_at_a_stage_is_told_with_that_stage(self) -> None:
        text = (
            "channels: street\ndefine: {billboard: {sends: pull}}\n---\n"
            "content: bb.first\nstage: [discover]\nvariants: {billboard: {text: Bonjour}}\n"
        )
        gaps = {one.message for one in found(published(more=text), "W-GAP")}
        assert published(more=text).bundle is not None
        assert found(published(), "W-GAP") == []
        assert "stage `decide` has no content for `billboard`" in gaps
        assert not any("`discover`" in one for one in gaps)

    def test_cnt_04_a_report_says_who_uses_what_what_was_never_said_and_which_cells_are_empty(self) -> None:
        idle = "content: em.forgotten\nclass: service\nvariants: {email: {subject: Bonjour, body: Bonjour}}\n"
        bundle = sound(published(idle=idle))
        items = {item.content.content: item for item in inventory(bundle)}
        assert items["em.cart-reminder"].scenarios == ("cart_rescue",)
        assert [name for name, item in items.items() if not item.uses] == ["em.forgotten"]
        assert grid(inventory(bundle))["discover"] == {"agent": 2, "web": 2}
        ben = {"user_id": "u-ben", "email": "ben@example.com"}
        ordered = event(0, "web", "order_placed", ben, order="o-1", items=["lumo-filter"], total=29.0)
        counts = said(count_play(bundle, build_program(bundle), [ordered], START, onward=HOUR).history)
        assert counts["em.order-confirm"].sent == 1
        assert "em.cart-reminder" not in counts

    @pytest.mark.parametrize(
        ("score", "shown"),
        [(0, "ct.brand"), (30, "ct.sound.overview"), (70, "ct.sound.detail"), (120, "ct.sound.detail")],
    )
    def test_cnt_04_an_empty_cell_shows_the_stage_before_or_the_house_and_never_nothing(
        self, score: int, shown: str
    ) -> None:
        world = World(live(), START)
        ben = {"user_id": "u-ben"}
        looks = [event(n * HOUR, "web", "demo_requested", ben, product="sound-5") for n in range(score // 30)]
        play(world, *looks)
        answer = ask(world, "web.product.body", ["user_id:u-ben"], {"channel": "web", "product": "sound-5"})
        assert answer["content"] == shown


class TestAmy10StartWithTheWebsite:
    """AMY-10: the website and e-mail first; the other channels are switched on later, and nothing is rewritten."""

    @staticmethod
    def begun() -> LoadResult:
        """The whole bundle in a house that has only its website and e-mail."""
        text = shipped()["house/channels.yaml"].decode()
        for name in LATER:
            text = text.replace(f"\n  {name}: {{", f"\n  {name}: {{enabled: false, ", 1)
        assert text.count("enabled: false") == len(LATER)
        return published(house__channels=text)

    def test_amy_10_channels_that_are_not_there_yet_are_warnings(self) -> None:
        result = self.begun()
        assert [str(one) for one in result.diagnostics if one.severity is Severity.ERROR] == []
        assert found(result, "W-CHANNEL-OFF")

    def test_amy_10_her_story_runs_on_two_channels_and_goes_on_when_the_others_come(self) -> None:
        first = build_program(sound(self.begun()))
        world = World(first, START)
        browser, address = {"anonymous_id": "a1"}, {"anonymous_id": "a1", "email": "amy@example.com"}
        play(
            world,
            event(0, "web", "page_viewed", browser, page="/lp/lumo-1", query="respirez mieux", referrer="google"),
            event(3 * MINUTE, "web", "page_read", browser, page="/lp/lumo-1", seconds=150),
            event(4 * MINUTE, "web", "newsletter_subscribed", address, source="form"),
            event(10 * HOUR, "email", "received", {"email": "amy@example.com"}, subject="?", text="Quelle surface ?"),
        )
        hero = ask(world, "web.lp.hero", ["anonymous_id:a1"], {"channel": "web", "product": "lumo-1"})
        assert hero["content"] == "lp.station-q1"
        known = context(world, "email:amy@example.com")

        world.publish(build_program(sound(published()), (first,)))
        for slot, channel in (("chat.greeting", "chat"), ("store.screen.hero", "store")):
            shown = ask(world, slot, ["email:amy@example.com"], {"channel": channel})
            assert shown["content"] == "lp.station-q1", channel
        after = context(world, "email:amy@example.com")
        assert after["profile"] == known["profile"], "nothing is migrated, nothing is lost"

    @pytest.mark.parametrize(("whole", "channel"), [(False, "email"), (True, "push")])
    def test_amy_10_what_would_go_to_a_channel_that_is_off_goes_to_the_next(self, whole: bool, channel: str) -> None:
        world = World(live() if whole else build_program(sound(self.begun())), START)
        cleo = {"user_id": "u-cleo", "email": "cleo@example.com", "device_id": "d-cleo"}
        play(
            world,
            event(0, "stock", "level_changed", {}, sku="lumo-filter", location="web", qty=5),
            event(MINUTE, "app", "push_token_registered", cleo, consent=True),
            event(HOUR, "web", "order_placed", cleo, order="o-1", items=["lumo-1"], total=199.0),
            event(30 * HOUR, "oms", "order_delivered", {}, order="o-1"),
        )
        world.advance(START + 12 * 24 * HOUR)
        assert [where for content, where in sent(world) if content == "em.xsell.filter"] == [channel]
