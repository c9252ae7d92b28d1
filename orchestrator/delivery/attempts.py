"""One attempt to send an action: find its content, render it, hand it to its channel."""

from collections.abc import Mapping

from orchestrator.delivery.contents import ContentError, Contents, NotYetKnownError
from orchestrator.delivery.decide import Deferred, Refused, Result
from orchestrator.delivery.ledger import Outcome
from orchestrator.delivery.render.message import KeyMissingError, Renderer
from orchestrator.delivery.watch import Silent, Watch
from orchestrator.delivery.ways import Way
from orchestrator.language.liquid.templates import TemplateError
from orchestrator.model.effect import Action

NOT_CONFIGURED = "channel_not_configured"


class Attempts:
    """Makes attempts; each gives a result, also where nothing could be sent."""

    def __init__(
        self, contents: Contents, renderer: Renderer, ways: Mapping[str, Way], watch: Watch | None = None
    ) -> None:
        """Attempts over these channels; a channel without a way fails its actions, visibly."""
        self._contents = contents
        self._renderer = renderer
        self._ways = ways
        self._watch: Watch = watch or Silent()

    async def attempt(self, action: Action, now: int) -> Result:
        """Try to send an action."""
        way = self._ways.get(action.channel)
        if way is None:
            return Refused(Outcome.FAILED, NOT_CONFIGURED)
        try:
            content = await self._contents.content(
                action.tenant, action.release, action.content, action.channel, action.language
            )
            message = self._renderer.render(action, content)
        except NotYetKnownError:
            return Deferred("release_unknown", attempted=False)
        except ContentError as fault:
            return Refused(Outcome.FAILED, fault.reason)
        except KeyMissingError:  # an operator's slip, mended by a restart: no reason to lose the message
            self._watch.unsigned(action.channel)
            return Deferred("link_key_missing", attempted=False)
        except TemplateError as fault:
            self._watch.unrenderable(action.content, action.release, str(fault))
            return Refused(Outcome.FAILED, "template_error")
        return await way.deliver(action, message, now)

    async def close(self) -> None:
        """Give up all connections."""
        for way in self._ways.values():
            await way.close()
