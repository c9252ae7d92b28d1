"""A bundle ready for tests: its programs, whole and cut down to some scenarios, each built once."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from orchestrator.engine.program.build import build_program
from orchestrator.rehearsal.seeding import declare_present

if TYPE_CHECKING:
    from orchestrator.engine.program.plan import Program
    from orchestrator.language.bundle import Bundle


class Stage:
    """What all tests of a bundle share.

    Attributes:
        told: name of a content's variant -> the content's name.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._programs: dict[tuple[str, ...], Program] = {}
        self.told = names_of_variants(bundle)

    def program(self, only: tuple[str, ...] = ()) -> Program:
        """The bundle's program with these scenarios alone; none named: all."""
        key = tuple(sorted(set(only)))
        program = self._programs.get(key)
        if program is None:
            program = self._programs[key] = self._build(key)
        return program

    def _build(self, only: tuple[str, ...]) -> Program:
        scenarios = self.bundle.scenarios
        kept = {name: scenarios[name] for name in only if name in scenarios} if only else scenarios
        program = build_program(dataclasses.replace(self.bundle, scenarios=kept))
        declare_present(program)
        return program


def names_of_variants(bundle: Bundle) -> dict[str, str]:
    """Name of a content's variant -> the content's name."""
    return {
        variant.name: content.content
        for content in bundle.contents.values()
        for variant in content.variants.values()
        if variant.name and variant.name not in bundle.contents
    }
