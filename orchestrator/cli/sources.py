"""Where settings are read from, and how a wrong one is told."""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import yaml
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from orchestrator.cli.errors import UserError
from orchestrator.cli.settings import NamedByFile, Settings
from orchestrator.cli.settings_errors import in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo

PREFIX = "ORCHESTRATOR_"
NESTED = "__"
Tree = dict[str, Any]


def load_settings(
    config: Path | None = None, overrides: Mapping[str, Any] | None = None, environment: Mapping[str, str] = os.environ
) -> Settings:
    """The settings that count.

    Args:
        config: a YAML or TOML file; the one that `ORCHESTRATOR_CONFIG` names unless given.
        overrides: what the command line says, dotted: `{"kafka.bootstrap": "kafka:9092"}`; None means not said.
        environment: the environment's variables.

    Raises:
        UserError: a file cannot be read, or a value is not one that the setting takes. Values are never repeated.
    """
    named = environment.get(f"{PREFIX}CONFIG")
    path = config or (Path(named) if named else None)
    said = _nested({name: value for name, value in (overrides or {}).items() if value is not None})
    from_environment = _with_secrets(_environment_tree(environment), Settings, ("",), inline=True)
    from_file = _with_secrets(_file_tree(path), Settings, ("",), inline=False) if path else {}

    class Loaded(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del env_settings, dotenv_settings, file_secret_settings  # read here, for secrets in files
            return (init_settings, _Source(settings_cls, from_environment), _Source(settings_cls, from_file))

    try:
        return Loaded(**said)
    except ValidationError as error:
        places = {"an option": said, "": from_environment, f"{path}": from_file}
        raise UserError(
            "; ".join(_told(dict(each), places, path) for each in error.errors(include_input=False))
        ) from None


def shown(model: BaseModel) -> Tree:
    """The settings as plain values; a secret is only said to be set or not."""
    return {name: _shown_value(getattr(model, name)) for name in type(model).model_fields}


def variable(place: tuple[str | int, ...]) -> str:
    """The environment variable of a setting: `("kafka", "bootstrap")` -> `ORCHESTRATOR_KAFKA__BOOTSTRAP`."""
    return PREFIX + NESTED.join(str(part) for part in place).upper()


class _Source(PydanticBaseSettingsSource):
    """Values that were read already, as a source of pydantic-settings."""

    def __init__(self, settings_cls: type[BaseSettings], values: Tree) -> None:
        super().__init__(settings_cls)
        self._values = values

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        del field
        return self._values.get(field_name), field_name, False

    def __call__(self) -> Tree:
        return self._values


def _environment_tree(environment: Mapping[str, str]) -> Tree:
    flat: Tree = {}
    for name, value in environment.items():
        path = name.removeprefix(PREFIX).lower()
        if not name.startswith(PREFIX) or (NESTED not in path and path not in Settings.model_fields):
            continue  # also what Kubernetes sets for a service of this name: ORCHESTRATOR_SERVICE_HOST
        section = path.split(NESTED)[0]
        if section not in Settings.model_fields:
            raise UserError(f"{name}: there is no section {section!r}{_did_you_mean(section, Settings.model_fields)}")
        flat[path.replace(NESTED, ".")] = _json_or_text(value)
    return _nested(flat)


def _json_or_text(value: str) -> Any:
    if value[:1] in {"[", "{"}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _file_tree(path: Path) -> Tree:
    try:
        content = path.read_bytes()
        read = tomllib.loads(content.decode()) if path.suffix == ".toml" else yaml.safe_load(content)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        what = getattr(error, "problem", None) or str(error)
        raise UserError(f"{path}{place}: is not {'TOML' if path.suffix == '.toml' else 'YAML'}: {what}") from error
    if read is not None and not isinstance(read, dict):
        raise UserError(f"{path}: must hold sections, such as kafka: {{bootstrap: ...}}")
    return read or {}


def _with_secrets(values: Tree, model: type[BaseModel], place: tuple[str, ...], *, inline: bool) -> Tree:
    """`values` with every `NAME_file` of a secret (or of what goes with one) replaced by what the file holds."""
    done = dict(values)
    for name, field in model.model_fields.items():
        here = (*place, name)
        secret = _is_secret(field.annotation)
        if secret or any(isinstance(each, NamedByFile) for each in field.metadata):
            file = done.pop(f"{name}_file", None)
            if file is not None and name in done:
                raise UserError(f"{_dotted(here)}: is given itself and as a file; leave one out")
            if file is not None:
                done[name] = _read_secret(Path(str(file)), here)
            elif secret and name in done and not inline:
                raise UserError(
                    f"{_dotted(here)}: a secret does not stand in the settings file; name a file of its own with "
                    f"{name}_file, or set {variable(here[1:])}"
                )
        elif isinstance(done.get(name), dict):
            done[name] = _section_with_secrets(done[name], field.annotation, here, inline=inline)
    return done


def _section_with_secrets(values: Tree, annotation: Any, place: tuple[str, ...], *, inline: bool) -> Tree:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _with_secrets(values, annotation, place, inline=inline)
    of_each = next(
        (each for each in get_args(annotation) if isinstance(each, type) and issubclass(each, BaseModel)), None
    )
    if of_each is None:
        return values
    return {
        name: _with_secrets(each, of_each, (*place, name), inline=inline) if isinstance(each, dict) else each
        for name, each in values.items()
    }


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(each) for each in get_args(annotation))


def _read_secret(path: Path, place: tuple[str, ...]) -> str:
    try:
        secret = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{_dotted(place)}_file: cannot read {path}: {getattr(error, 'strerror', 'no text')}") from None
    if not secret:
        raise UserError(f"{_dotted(place)}_file: {path} is empty")
    return secret


def _nested(flat: Mapping[str, Any]) -> Tree:
    tree: Tree = {}
    for dotted, value in sorted(flat.items()):
        *sections, name = dotted.split(".")
        node = tree
        for section in sections:
            node = node.setdefault(section, {})
            if not isinstance(node, dict):
                raise UserError(
                    f"{variable(tuple(dotted.split('.')))}: {section} is given as a whole as well; leave one out"
                )
        node[name] = value
    return tree


def _told(error: Mapping[str, Any], given: Mapping[str, Tree], path: Path | None) -> str:
    place = tuple(part for part in error["loc"] if part != "[key]")
    if error["type"] == "extra_forbidden":
        message = f"there is no such setting{_did_you_mean(str(place[-1]), _names_beside(place))}"
    else:
        message = in_words(error)
    name = variable(place)
    source = next((source or name for source, tree in given.items() if _holds(tree, place)), None)
    where = f"set by {source}" if source else f"to be set by {name}" + (f" or in {path}" if path else "")
    return f"{'.'.join(map(str, place))}: {message} ({where})"


def _holds(tree: Any, place: tuple[str | int, ...]) -> bool:
    for part in place:
        if not isinstance(tree, dict) or part not in tree:
            return False
        tree = tree[part]
    return True


def _names_beside(place: tuple[str | int, ...]) -> list[str]:
    model: Any = Settings
    for part in place[:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        annotation = field.annotation if field else model
        model = next((each for each in _models_in(annotation)), model)
    return list(getattr(model, "model_fields", {}))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, BaseModel):
            yield each


def _did_you_mean(name: str, names: Any) -> str:
    near = difflib.get_close_matches(name, list(names), 1)
    return f"; did you mean {near[0]}?" if near else ""


def _dotted(place: tuple[str, ...]) -> str:
    return ".".join(part for part in place if part)


def _shown_value(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return "(set, not shown)"
    if isinstance(value, BaseModel):
        return shown(value)
    if isinstance(value, dict):
        return {name: _shown_value(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_shown_value(each) for each in value]
    return str(value) if isinstance(value, Path) else value
