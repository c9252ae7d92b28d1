"""What every check finds, by its code: for the reference, and for tools that show rules beside results."""

from __future__ import annotations

from typing import Final

CODES: Final[dict[str, str]] = {
    "E-YAML": "the file is no YAML, has a key twice, an anchor, an alias or a tag, or is too large or too deep",
    "E-FIELD": "an unknown field, a missing one, fields that exclude each other, an unknown kind of document or step",
    "E-TYPE": "a value of another type than its field has",
    "E-CEL": "a condition or value in CEL that does not parse or type-check, or stands without its quotes",
    "E-EVENT": "an event that no `events` document declares, or whose channel must be named",
    "E-CONTENT": "a content that no document declares, or that none of the channels of a `send` can tell",
    "E-NAME": "another name that no document declares, that is declared twice, or that hides what is always there",
    "E-TOUCHPOINT": "a channel that no `channels` document declares",
    "E-NOT-RUN": "a word of the language that this release reads and does not run",
    "E-STEP": "an id twice, `of` or `steps.X` that is not before here, `go_to` backwards without `limit`, a step that "
    "nothing reaches, `go_to` out of a parallel branch, waits longer than `lives`",
    "E-AUDIENCE": "everybody by accident: a schedule without an `audience`",
    "E-CIRCLE": "traits or segments that read each other in a circle, slots that include each other",
    "E-WEIGHT": "weights of an experiment that are not 100% together",
    "E-COHERENCE": "`claims` that differ between variants, or between contents of one campaign or topic",
    "E-MOVED": "`follow` would lose a step that `moved` does not name",
    "E-VERSION": "the meaning of a scenario changed and its version did not",
    "W-NO-EXIT": "no goal, exit or `while` around a wait longer than an hour",
    "W-NO-RESPONSE": "an inbound channel that nothing answers",
    "W-CHANNEL-OFF": "a channel that is off",
    "W-OVERLAP": "two scenarios that compete on entry and topic with equal priority",
    "W-TIME-EDGE": "a `becomes` that can change by time or facts alone: seen at the next event or timer only",
    "W-CREEPY": "a text with place or hour of observed behaviour; push or sms sooner than `browse_delay` after looking",
    "W-NETWORK-STYLE": "instagram without a hashtag, facebook with more than two",
    "W-TONE": "the form of address differs within a campaign",
    "W-ABSENT": "two optional properties compared (both absent are equal); `!` or `in` on one without `has()`",
    "W-NEVER": "a trait compared with a text that it never is",
    "W-LOCALE": "a branch on language",
    "W-GAP": "a stage and channel without content",
    "W-EXPIRES": "a cap, gap or pause that may hold a message for longer than it is valid where it does not say so",
    "W-PROPERTY": "an event of a test whose channel is not declared for it, or whose properties are not those of its "
    "schema in the topic files; a row of a fact with a field that the fact does not have",
    "W-NO-EXPECT": "a test that expects nothing, and cannot fail",
    "W-UNTOLD": "a message that would not be sent: it says nothing, shows a value which nothing gives, is not told in "
    "the bundle's language or not in those of its other texts, no address is on its channel, or no rule "
    "grants the consent that it needs; a text of a slot that shows a value which nothing gives, "
    "what is placed in a slot by a story that ends at once",
    "W-UNUSED": "declared and never used; a `stop_when` that has nothing to count, a rule of the policy that concerns "
    "no message",
}
"""Code → what it finds. `E-` refuses the bundle; `W-` is shown, and refuses it where the bundle says `strict: true`."""

WARNINGS: Final = tuple(code for code in CODES if code.startswith("W-"))
"""The codes that a bundle may accept."""
