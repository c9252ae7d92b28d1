from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.delivery.render.links import LinkRules, rewrite_html, rewrite_text
from orchestrator.delivery.render.plain import plain_text

RULES = LinkRules("https://lumo.example", "t1.tok")
rewrite = RULES.rewrite


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://lumo.example/p", "https://lumo.example/p?token=t1.tok"),
        ("http://lumo.example", "http://lumo.example?token=t1.tok"),
        ("/lp/lumo-1", "https://lumo.example/lp/lumo-1?token=t1.tok"),
        ("/lp?a=1&b=%20x#top", "https://lumo.example/lp?a=1&b=%20x&token=t1.tok#top"),
        ("https://a.example/?token=old&a=1", "https://a.example/?a=1&token=t1.tok"),
        ("HTTPS://a.example/X", "https://a.example/X?token=t1.tok"),
        ("mailto:amy@example.com", "mailto:amy@example.com"),
        ("tel:+33600000001", "tel:+33600000001"),
        ("#top", "#top"),
        ("", ""),
        ("//cdn.example/x", "//cdn.example/x"),
        ("relative/page", "relative/page"),
        ("http://[broken", "http://[broken"),
    ],
)
def test_http_and_site_relative_links_carry_the_token_and_nothing_else_does(url: str, written: str) -> None:
    assert rewrite(url) == written


def test_only_named_hosts_and_our_own_get_the_token_where_hosts_are_named() -> None:
    rules = LinkRules("https://lumo.example", "t1.tok", hosts=("shop.example",))
    assert "token" in rules.rewrite("/p")
    assert "token" in rules.rewrite("https://lumo.example/p")
    assert "token" in rules.rewrite("https://shop.example/p")
    for url in ("https://evil.example/p", "https://evil.shop.example/p", "https://shop.example@evil.example/p"):
        assert rules.rewrite(url) == url


def test_without_a_token_links_are_made_absolute_and_no_more() -> None:
    assert LinkRules("https://lumo.example").rewrite("/p?a=1") == "https://lumo.example/p?a=1"
    assert LinkRules("").rewrite("/p") == "/p"


def test_html_is_changed_in_the_links_alone() -> None:
    html = (
        "<p title=' href=\"/no\" '>Hi <a data-href=\"/x\" class=a href='/lp?a=1&amp;b=2'>Lumo &amp; co</a>\n"
        "<A\n HREF=https://x.example/a>x</A> <img src='/a.png'> <!-- <a href='/c'> --> <link href='/style.css'></p>"
    )
    assert rewrite_html(html, rewrite) == (
        '<p title=\' href="/no" \'>Hi <a data-href="/x" class=a '
        'href="https://lumo.example/lp?a=1&amp;b=2&amp;token=t1.tok">Lumo &amp; co</a>\n'
        "<A\n HREF=\"https://x.example/a?token=t1.tok\">x</A> <img src='/a.png'> "
        "<!-- <a href='/c'> --> <link href='/style.css'></p>"
    )


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java&#10;script:alert(1)",
        "&#106;avascript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "\x01javascript:alert(1)",
    ],
)
def test_a_script_is_no_link(url: str) -> None:
    assert rewrite_html(f'<a href="{url}">x</a>', rewrite) == '<a href="#">x</a>'


@given(st.text(alphabet="<>abhref=\"'/ \n!-&;ps.:?#", max_size=60))
def test_any_html_keeps_its_text_and_gets_no_new_tags(html: str) -> None:
    written = rewrite_html(html, rewrite)
    assert written.count("<") == html.count("<")
    assert rewrite_html(html, lambda url: url).count(">") >= 0


def test_text_links_and_paths_that_stand_alone_are_signed() -> None:
    text = (
        "See https://a.example/x, (https://a.example/y_(z)) or /lp/lumo-1.\n- /p/x\n"
        "24h/24, and/or, he/she, 1 / 2 <https://b.example>"
    )
    assert rewrite_text(text, rewrite) == (
        "See https://a.example/x?token=t1.tok, (https://a.example/y_(z)?token=t1.tok) or "
        "https://lumo.example/lp/lumo-1?token=t1.tok.\n- https://lumo.example/p/x?token=t1.tok\n"
        "24h/24, and/or, he/she, 1 / 2 <https://b.example?token=t1.tok>"
    )


@given(st.from_regex(r"\Ahttps://[a-z]{1,8}\.example/[a-z0-9/_-]{0,20}(\?[a-z]=[a-z0-9%]{0,5})?\Z"))
def test_a_signed_link_keeps_its_place_and_its_query(url: str) -> None:
    before, after = urlsplit(url), urlsplit(rewrite(url))
    assert (before.scheme, before.netloc, before.path) == (after.scheme, after.netloc, after.path)
    query = parse_qs(after.query, keep_blank_values=True)
    assert query.pop("token") == ["t1.tok"]
    assert query == parse_qs(before.query, keep_blank_values=True)


def test_plain_text_keeps_paragraphs_lists_and_addresses_of_links() -> None:
    html = (
        "<html><head><title>No</title><style>p{}</style></head><body><div style='display:none'>pre<br>header</div>"
        "<h1>Hello&nbsp;Amy</h1><p>One\n  two<br>three</p><ul><li>a</li><li>b</li></ul>"
        "<p><a href='https://l.example/x'>Look</a> <a href='https://l.example/y'>https://l.example/y</a> "
        "<a href='mailto:a@b.example'>a@b.example</a></p><img src=x alt='A lamp'>"
        "<table><tr><td>1</td><td>2</td></tr></table><script>alert(1)</script></body></html>"
    )
    assert plain_text(html) == (
        "Hello Amy\n\nOne two\nthree\n\n- a\n- b\n\n"
        "Look (https://l.example/x) https://l.example/y a@b.example\n\nA lamp\n\n1 2\n"
    )


@given(st.text(alphabet="<>/abpdivstyle=\"'!- \n&;", max_size=80))
def test_plain_text_of_anything_is_text(html: str) -> None:
    assert plain_text(html).endswith("\n")
