"""Settings: options before the environment before a file before defaults; secrets only by variable or file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orchestrator.cli.errors import UserError
from orchestrator.cli.sources import load_settings, shown

if TYPE_CHECKING:
    from pathlib import Path

KEY = "ab" * 32


def load(file: Path | None = None, options: dict[str, Any] | None = None, **variables: Any) -> Any:
    return load_settings(file, options, {f"ORCHESTRATOR_{name}": value for name, value in variables.items()})


def written(folder: Path, text: str, name: str = "settings.yaml") -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder / name


def test_defaults_reach_a_kafka_on_this_machine() -> None:
    settings = load()
    assert settings.kafka.connection() == {"bootstrap_servers": "127.0.0.1:9092", "security_protocol": "PLAINTEXT"}
    assert settings.kafka.partitions == 8


def test_an_option_wins_over_a_variable_over_a_file(tmp_path: Path) -> None:
    file = written(tmp_path, "kafka: {bootstrap: file:1, partitions: 2, replication: 3}")
    settings = load(file, {"kafka.bootstrap": "option:1"}, KAFKA__BOOTSTRAP="variable:1", KAFKA__PARTITIONS="4")
    assert (settings.kafka.bootstrap, settings.kafka.partitions, settings.kafka.replication) == ("option:1", 4, 3)
    assert load(file, {"kafka.bootstrap": None}).kafka.bootstrap == "file:1"


def test_a_toml_file_and_one_that_a_variable_names(tmp_path: Path) -> None:
    file = written(tmp_path, "[log]\nstyle = 'json'\n", "s.toml")
    assert load(CONFIG=str(file)).log.style == "json"


def test_sections_by_name_come_from_variables_and_files_alike(tmp_path: Path) -> None:
    file = written(tmp_path, "delivery: {webhooks: {sms: {url: 'https://sms.example/send'}}}")
    settings = load(
        file, DELIVERY__WEBHOOKS__SMS__SECRET="s3", GATEWAY__KEYS__SHOP__KEY="k", GATEWAY__KEYS__SHOP__TENANT="t"
    )
    assert settings.delivery.webhooks["sms"].secret.get_secret_value() == "s3"
    assert settings.gateway.keys["shop"].tenant == "t"
    assert settings.gateway.keys["shop"].scopes == ("events", "decide", "context")


def test_lists_are_json_in_a_variable() -> None:
    settings = load(GATEWAY__KEYS__SHOP__KEY="k", GATEWAY__KEYS__SHOP__SCOPES='["events"]')
    assert settings.gateway.keys["shop"].scopes == ("events",)


def test_a_secret_comes_from_a_file_that_a_variable_or_the_settings_file_names(tmp_path: Path) -> None:
    secret = written(tmp_path, "geheim\n", "smtp-password")
    assert load(DELIVERY__SMTP__PASSWORD_FILE=str(secret)).delivery.smtp.password.get_secret_value() == "geheim"
    file = written(tmp_path, f"delivery: {{smtp: {{password_file: {secret}}}}}")
    assert load(file).delivery.smtp.password.get_secret_value() == "geheim"


def test_the_environment_may_hold_the_secret_of_a_key_that_the_file_describes(tmp_path: Path) -> None:
    secret = written(tmp_path, "the-key", "key")
    file = written(tmp_path, "gateway: {keys: {shop: {tenant: t, scopes: [decide]}}}")
    key = load(file, GATEWAY__KEYS__SHOP__KEY_FILE=str(secret)).gateway.keys["shop"]
    assert (key.tenant, key.scopes, key.key.get_secret_value()) == ("t", ("decide",), "the-key")


def test_keys_for_links_are_bytes_by_tenant_the_current_one_first() -> None:
    settings = load(LINKS__KEY=KEY, LINKS__PREVIOUS_KEY="cd" * 32, LINKS__TENANTS__ACME__KEY="ef" * 32)
    assert settings.links.keys() == {"default": (b"\xab" * 32, b"\xcd" * 32), "acme": (b"\xef" * 32,)}
    assert load().links.keys() == {}


def test_what_other_programs_set_under_our_name_is_left_alone() -> None:
    load(SERVICE_HOST="10.0.0.1", PORT="tcp://10.0.0.1:80", CACHE="/tmp/x", MAVEN_REPOSITORY="https://m")  # noqa: S108


def told(file: Path | None = None, **variables: Any) -> str:
    with pytest.raises(UserError) as caught:
        load(file, **variables)
    return str(caught.value)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"GATEWAY__PROT": "1"},
            "gateway.prot: there is no such setting; did you mean port? (set by ORCHESTRATOR_GATEWAY__PROT)",
        ),
        ({"GATWAY__PORT": "1"}, "ORCHESTRATOR_GATWAY__PORT: there is no section 'gatway'; did you mean gateway?"),
        ({"KAFKA__PARTITIONS": "0"}, "kafka.partitions: must be more than 0 (set by ORCHESTRATOR_KAFKA__PARTITIONS)"),
        ({"WORKER__SESSION_TIMEOUT": "3"}, "worker.session_timeout: must be at least 6"),
        ({"KAFKA__SECURITY": "SASL_SSL"}, "kafka: security SASL_SSL needs username and password"),
        ({"KAFKA__PASSWORD": "p"}, "kafka: security PLAINTEXT takes no username and password: SASL_SSL would"),
        (
            {"KAFKA__SECURITY": "SASL_PLAINTEXT", "KAFKA__USERNAME": "u", "KAFKA__PASSWORD": "p", "KAFKA__CA": "/ca"},
            "kafka: security SASL_PLAINTEXT takes no certificates: SSL or SASL_SSL would",
        ),
        ({"KAFKA__SECURITY": "SSL", "KAFKA__KEY": "/key"}, "kafka: key is given without certificate"),
        ({"KAFKA__SECURITY": "TLS"}, "kafka.security: must be 'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT' or"),
        ({"WORKER__PORT": "99999"}, "worker.port: must be at most 65535 (set by ORCHESTRATOR_WORKER__PORT)"),
        ({"WORKER__PORT": "abc"}, "worker.port: must be a whole number (set by"),
        ({"WORKER__SESSION_TIMEOUT": "7s"}, "worker.session_timeout: must be a number (set by"),
        ({"GATEWAY__KEYS": "x"}, "gateway.keys: is a section: set what stands in it, each by itself, or give it"),
        ({"DELIVERY__TOKEN_HOSTS": "x"}, 'delivery.token_hosts: must be a list, as ["a", "b"]'),
        (
            {"DELIVERY__WEBHOOKS__SMS__URL": "ftp://x", "DELIVERY__WEBHOOKS__SMS__SECRET": "whsec_eA=="},
            "delivery.webhooks.sms.url: must begin with http:// or https://",
        ),
        ({"LINKS__KEY": "geheim"}, "links.key: a key for links is 64 hexadecimal digits; make one with: openssl rand"),
        ({"DELIVERY__WEBHOOKS__SMS__URL": "https://x"}, "delivery.webhooks.sms.secret: is needed (to be "),
        (
            {"DELIVERY__SMTP__PASSWORD_FILE": "/no/such"},
            "delivery.smtp.password_file: cannot read /no/such: No such file",
        ),
        (
            {"KAFKA__PASSWORD": "a", "KAFKA__PASSWORD_FILE": "/b"},
            "kafka.password: is given itself and as a file; leave one out",
        ),
    ],
)
def test_a_wrong_variable_is_told_with_its_name(variables: dict[str, Any], message: str) -> None:
    assert told(**variables).startswith(message)


def test_a_wrong_value_is_told_with_where_it_was_given(tmp_path: Path) -> None:
    variables = {"ORCHESTRATOR_WORKER__PORT": "6066"}
    with pytest.raises(UserError, match=r"^worker.port: must be at most 65535 \(set by an option\)$"):
        load_settings(None, {"worker.port": 99_999}, variables)
    file = tmp_path / "settings.yaml"
    file.write_text("worker: {port: 99999}\n")
    with pytest.raises(UserError, match=r"\(set by .*settings.yaml\)$"):
        load_settings(file, {}, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kafka: {bootstrap: [}", "settings.yaml:1:21: is not YAML: "),
        ("- kafka", "settings.yaml: must hold sections, such as kafka: {bootstrap: ...}"),
        ("kafka: {port: 9092}", "kafka.port: there is no such setting"),
    ],
)
def test_a_wrong_file_is_told_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    assert message in told(written(tmp_path, text))


def test_a_secret_in_the_settings_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    said = told(written(tmp_path, "delivery: {smtp: {password: geheim}}"))
    assert said == (
        "delivery.smtp.password: a secret does not stand in the settings file; name a file of its own with "
        "password_file, or set ORCHESTRATOR_DELIVERY__SMTP__PASSWORD"
    )


def test_no_error_repeats_a_value(tmp_path: Path) -> None:
    tried: tuple[dict[str, Any], ...] = (
        {"LINKS__KEY": "geheim"},
        {"GATEWAY__PORT": "geheim"},
        {"GATEWAY__KEYS__SHOP": "geheim"},
    )
    for variables in tried:
        assert "geheim" not in told(**variables)


def test_secrets_are_neither_shown_nor_in_the_repr() -> None:
    user: dict[str, Any] = {"KAFKA__SECURITY": "SASL_SSL", "KAFKA__USERNAME": "u", "KAFKA__PASSWORD": "geheim"}
    settings = load(**user, KAFKA__KEY_PASSWORD="geheim", GATEWAY__KEYS__SHOP__KEY="geheim", LINKS__KEY=KEY)
    assert "geheim" not in repr(settings) + str(shown(settings))
    assert KEY not in repr(settings) + str(shown(settings))
    assert shown(settings)["gateway"]["keys"]["shop"]["key"] == "(set, not shown)"
    assert shown(settings)["kafka"]["password"] == shown(settings)["kafka"]["key_password"] == "(set, not shown)"
    assert "geheim" not in repr(settings.kafka.connection())


def test_a_secured_cluster_is_reached_with_credentials_and_tls() -> None:
    kafka = load(
        KAFKA__SECURITY="SASL_SSL", KAFKA__USERNAME="u", KAFKA__PASSWORD="p", KAFKA__MECHANISM="SCRAM-SHA-512"
    ).kafka
    options = kafka.connection()
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("u", "p")
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert options["ssl_context"].check_hostname


def test_user_and_password_may_both_come_from_files(tmp_path: Path) -> None:
    user, password = written(tmp_path, "u\n", "user"), written(tmp_path, "p\n", "password")
    said: dict[str, Any] = {
        "KAFKA__SECURITY": "SASL_SSL",
        "KAFKA__USERNAME_FILE": str(user),
        "KAFKA__PASSWORD_FILE": str(password),
    }
    options = load(**said).kafka.connection()
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("u", "p")
    file = written(tmp_path, f"kafka: {{security: SASL_SSL, username: u, password_file: {password}}}")
    assert load(file).kafka.connection()["sasl_plain_password"] == "p"


def test_a_certificate_that_cannot_be_read_is_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"kafka\.ca: .*/none holds no certificates that can be read"):
        load(KAFKA__SECURITY="SSL", KAFKA__CA=str(tmp_path / "none")).kafka.connection()


def test_where_links_lead_is_a_setting_so_that_every_way_to_start_delivery_knows_it() -> None:
    settings = load(DELIVERY__SITE_URL="https://shop.example", DELIVERY__SENDERS='{"ag-1": "Ana <ana@shop.example>"}')
    assert settings.delivery.site_url == "https://shop.example"
    assert settings.delivery.senders == {"ag-1": "Ana <ana@shop.example>"}
