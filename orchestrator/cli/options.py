"""Options that several commands have, with the same name and help everywhere."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How something is shown: to people, or to programs."""

    TEXT = "text"
    JSON = "json"


Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file, YAML or TOML. Also: ORCHESTRATOR_CONFIG.", show_default=False),
]
Bootstrap = Annotated[
    str | None,
    typer.Option("--bootstrap", "-b", help="HOST:PORT of Kafka (default: 127.0.0.1:9092).", show_default=False),
]
TopicsDir = Annotated[
    Path | None,
    typer.Option(
        "--topics-dir", help="Folder of topic files (default: ./topics, else the package's own).", show_default=False
    ),
]
