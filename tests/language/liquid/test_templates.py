"""Templates: what they can do, and what neither a template nor a customer's text can make them do."""

import time
from typing import Any

import pytest

from orchestrator.language.liquid.filters import DECIDED_AT, ZONE
from orchestrator.language.liquid.templates import TemplateError, Templates, is_html

EVIL = "<script>alert(1)</script>&\"'"


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates()


def test_values_are_written_and_escaped_in_html_only(templates: Templates) -> None:
    values = {"name": "<Amy>", "cart": {"lines": [{"sku": "a"}, {"sku": "b"}]}}
    source = "Hi {{ name }}:{% for line in cart.lines %} {{ line.sku }}{% endfor %}"
    assert templates.render(source, values, html=True) == "Hi &lt;Amy&gt;: a b"
    assert templates.render(source, values) == "Hi <Amy>: a b"


def test_a_default_stands_in_for_what_is_absent_and_a_condition_on_it_is_false(templates: Templates) -> None:
    assert templates.render("Hi {{ name | default: 'you' }}{% if late %}!{% endif %}", {}) == "Hi you"


def test_what_is_absent_without_a_default_is_an_error_that_names_it_and_its_place(templates: Templates) -> None:
    with pytest.raises(TemplateError, match=r"'nmae' is undefined.* line 2, column"):
        templates.render("Hi\n{{ nmae }}", {"name": "Amy Secret"})


@pytest.mark.parametrize(
    ("value", "form", "written"),
    [
        ("2026-03-02T23:30:00Z", "%d.%m.%Y %H:%M", "03.03.2026 00:30"),
        ("2026-07-02T08:15:00+00:00", "%H:%M", "10:15"),
        (1_772_494_200_000, "%d %H:%M", "03 00:30"),
        (1_772_494_200, "%d %H:%M", "03 00:30"),
        ("2026-03-02", "%d/%m", "02/03"),
        ("2026-03-02T08:15:00", "%H:%M", "08:15"),
        ("now", "%Y", "2026"),
    ],
)
def test_dates_are_written_in_the_customers_zone(
    templates: Templates, value: str | int, form: str, written: str
) -> None:
    values = {"at": value, "form": form, ZONE: "Europe/Paris", DECIDED_AT: 1_772_494_200_000}
    assert templates.render("{{ at | date: form }}", values) == written


def test_an_unknown_zone_is_utc_and_no_date_is_an_error_that_hides_the_value(templates: Templates) -> None:
    assert templates.render("{{ at | date: '%H' }}", {"at": "2026-03-02T23:30:00Z", ZONE: "../etc"}) == "23"
    with pytest.raises(TemplateError) as error:
        templates.render("{{ at | date: '%H' }}", {"at": "amy@example.com"})
    assert "amy" not in str(error.value)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{{ a | capitalise }}", "capitalise"),
        ("{{ a | safe }}", "safe"),
        ("{{ a | base64_decode }}", "base64_decode"),
        ("{% include 'x' %}", "include"),
        ("{% render 'x' %}", "render"),
        ("{% if %}", "expression"),
        ("{{ a ", "}}"),
        ("{% for x in y %}", "end"),
        ("{% endif %}", "endif"),
        ("x" * 300_000, "longer"),
        ("{% if a %}" * 50 + "{% endif %}" * 50, "LimitError|Nesting|nested"),
    ],
)
def test_what_cannot_work_is_refused_at_load(templates: Templates, source: str, says: str) -> None:
    with pytest.raises(TemplateError, match=says):
        templates.check(source)


PAYLOADS = [
    "{{ 7 | times: 7 }}",
    "{{7*7}}",
    "{% raw %}",
    "{%- for x in (1..99) -%}x{%- endfor -%}",
    "{% assign a = 1 %}",
    "{{ self }}",
    "{{ request.application.__globals__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ config.items() }}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "*{7*7}",
    "@(7*7)",
    "{{ unsubscribe_url }}",
    "{{ secret }}",
    "{% include 'secret' %}",
    "{% render 'secret' %}",
    "{{ 'a' | upcase }}",
    "{% if secret %}yes{% endif %}",
    "{% capture x %}y{% endcapture %}{{ x }}",
    "{% increment n %}",
    "{% cycle 'a', 'b' %}",
    "{{ forloop.index }}",
    "{{ __zone__ }}{{ _zone }}",
    "{% liquid echo secret %}",
    "{# comment #}",
    "{% comment %}x{% endcomment %}",
    "{{ secret | base64_encode }}",
    "}}{{ secret }}{{",
    "%}{% echo secret %}{%",
    "{{'{{ secret }}'}}",
    "{% tablerow i in (1..9) %}{% endtablerow %}",
    "{{ [].constructor }}",
    "{{ ().__class__ }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ joiner }}",
    "{{ namespace }}",
    "{{ range(10) }}",
    "{{ dict(a=1) }}",
    "{{ get_flashed_messages }}",
    "{{ url_for }}",
    "{{ 'x'|attr('__class__') }}",
    "{{ x|map('secret') }}",
    "{{ secret | date: '%Y' }}",
    "{{ secret | split: '' }}",
    "{% case secret %}{% when 's3cret' %}hit{% endcase %}",
    "{% unless secret %}{% else %}hit{% endunless %}",
    "{% for c in secret %}{{ c }}{% endfor %}",
    "{% ifchanged %}a{% endifchanged %}",
    "{% doc %}x{% enddoc %}",
    "\x00{{ secret }}",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_customers_text_is_never_parsed(templates: Templates, payload: str) -> None:
    values = {"text": payload, "list": [payload], "secret": "s3cret"}
    assert templates.render("{{ text }}|{{ list[0] }}|{{ list | first }}", values) == f"{payload}|{payload}|{payload}"


@pytest.mark.parametrize(
    "source",
    [
        "{{ x.__class__ }}",
        "{{ x.__init__.__globals__ }}",
        "{{ x['__class__'] }}",
        "{{ l.append }}",
        "{{ d.items }}",
        "{{ d.keys }}",
        "{{ x | map: '__class__' }}",
        "{{ l | where: '__class__' }}",
        "{{ l | sum: '__class__' }}",
        "{{ l | sort: '__doc__' }}",
    ],
)
def test_no_template_reaches_a_python_object(templates: Templates, source: str) -> None:
    try:
        written = templates.render(source, {"x": "text", "l": ["a"], "d": {"a": 1}})
    except TemplateError:
        return
    assert "class" not in written
    assert "built-in" not in written
    assert "0x" not in written


def every_filter() -> list[str]:
    return sorted(Templates()._html.filters)


@pytest.mark.parametrize("name", every_filter())
def test_no_filter_carries_a_customers_markup_into_html(templates: Templates, name: str) -> None:
    for arguments in ("", ": 'a'", ": 'a', 'b'", ": 2", ": x", ": x, x"):
        for source in (f"{{{{ x | {name}{arguments} }}}}", f"{{{{ l | {name}{arguments} }}}}"):
            for last in ("", "strip_newlines", "newline_to_br", "url_decode", "escape_once", "join", "first"):
                text = source.replace(" }}", f" | {last} }}}}") if last else source
                try:
                    written = templates.render(text, {"x": EVIL, "l": [EVIL, {"a": EVIL}]}, html=True)
                except TemplateError:
                    continue
                assert "<script" not in written, text


BIG = "{% assign s='aaaaaaaaaa' %}{% for i in (1..13) %}{% assign s = s | append: s %}{% endfor %}"
BOMBS = [
    "{% for i in (1..1000000000) %}x{% endfor %}",
    "{% for i in (1..1000) %}{% for j in (1..1000) %}{% endfor %}{% endfor %}",
    "{% tablerow i in (1..1000000000) %}{% endtablerow %}",
    "{{ (1..1000000000) | join: 'xxxx' }}",
    "{{ (1..1000000000) | reverse }}",
    "{{ (1..99999999999999999999999) | size }}",
    BIG.replace("13", "30") + "{{ s }}",
    BIG + "{{ s | replace: '', s }}",
    BIG + "{{ s | replace: 'a', s }}",
    BIG + "{% for i in (1..100) %}{{ s }}{% endfor %}",
    BIG + "{% for i in (1..10000) %}{% assign q = s | upcase %}{% endfor %}",
    "{% for i in (1..10000) %}{% assign z = (1..10000) | reverse %}{% endfor %}",
    "{{ (1..10000) | join: ' ' | split: '' | join: 'abcdefghijklmnopqrstuvwxyz' }}",
    "{% assign n = 9 %}{% for i in (1..10000) %}{% assign n = n | times: n %}{% endfor %}{{ n }}",
    "{% assign f = '%c%c%c%c' %}{% for i in (1..14) %}{% assign f = f | append: f %}{% endfor %}{{ 0 | date: f }}",
]


@pytest.mark.parametrize("source", BOMBS)
def test_a_template_that_would_eat_the_process_is_ended_soon(templates: Templates, source: str) -> None:
    templates.check(source)
    began = time.process_time()
    with pytest.raises(TemplateError):
        templates.render(source, {})
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("values", [{"x": 10**5000}, {"x": "a" * 300_000}, {"x": list(range(20_000))}])
def test_values_beyond_bounds_are_refused_by_filters(templates: Templates, values: dict[str, Any]) -> None:
    with pytest.raises(TemplateError):
        templates.render("{{ x | size }}{{ x | append: 'b' }}", values)


def test_output_is_bounded(templates: Templates) -> None:
    with pytest.raises(TemplateError, match="OutputStreamLimit"):
        templates.render("{{ x }}", {"x": "é" * 200_000})


def test_a_template_is_parsed_once_and_the_oldest_are_dropped() -> None:
    templates = Templates()
    first = templates._template("a {{ b }}", html=False)
    assert templates._template("a {{ b }}", html=False) is first
    assert templates._template("a {{ b }}", html=True) is not first
    for number in range(1100):
        templates._template(f"{number}", html=False)
    assert templates._template("a {{ b }}", html=False) is not first
    assert len(templates._parsed) <= 1024


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("<p>Hi</p>", True),
        ("<!DOCTYPE html><html>", True),
        ("Hi<br>there", True),
        ("Hi {{ name }},\n5 < 6 and a<b", False),
        ("<https://lumo.example>", False),
    ],
)
def test_html_is_told_by_its_tags(source: str, html: bool) -> None:
    assert is_html(source) is html
