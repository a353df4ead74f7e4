"""Translations with their differences marked, tables, the quiet line of passed checks, and sources in colour."""

import re

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

from helpers.course import checks
from helpers.show import sentences, source
from helpers.show.sentences import Translated, marked_differences, show_table, show_translations


@pytest.fixture
def shown(monkeypatch):
    outputs = []
    monkeypatch.setattr(sentences, "display", lambda data, raw: outputs.append(data))
    monkeypatch.setattr(source, "display", lambda data, raw: outputs.append(data))
    return outputs


def marked(html, tag):
    return re.findall(f"<{tag} [^>]*>([^<]*)</{tag}>", html)


@pytest.mark.parametrize("right, written, lacking, wrong", [
    ("a red circle", "a red circle", [], []),
    ("a red circle", "a blue circle", ["red"], ["blue"]),
    ("a big red circle", "a circle", ["big red"], []),
    ("a circle", "a circle circle", [], ["circle"]),
    ("on a gray background", "on on gray background", ["a"], ["on"]),
    ("a star", "", ["a star"], []),
])
def test_only_words_that_differ_are_marked(right, written, lacking, wrong):
    a, b = marked_differences(right, written)
    assert marked(a, "ins") == lacking and marked(b, "del") == wrong
    assert re.sub("<[^>]*>", "", a) == right and re.sub("<[^>]*>", "", b) == written


def test_translations_show_both_scenes_and_what_differs(shown):
    red, blue = np.zeros((2, 32, 32, 3), np.uint8)
    rows = [Translated("빨간 <원>", "a red circle", "a blue circle", red, blue), Translated("별", "a star", "a star")]
    show_translations(rows, "Which word is wrong?")
    html, text = shown[0]["text/html"], shown[0]["text/plain"]
    assert html.count("<img") == 2 and html.count("no scene") == 2 and html.count("✗") == html.count("✓") == 1
    assert 'alt="scene: a red circle"' in html and 'alt="scene: a blue circle"' in html and "&lt;원&gt;" in html
    assert "written: a blue circle\n  right:   a red circle" in text and "Which word" in html and "Which word" in text
    show_translations(rows[1:], "no pictures")
    assert "no scene" not in shown[1]["text/html"]
    with pytest.raises(ValueError, match="no translations"):
        show_translations([], "nothing")


def test_a_table_has_heads_for_rows_and_columns_and_a_caption(shown):
    show_table([("AE", 0.25, "<1 %", "soft"), ("VAE & more", 12, "few", "softer")],
               ["model", "error", "share", "edges"], "Lower is better.")
    html, text = shown[0]["text/html"], shown[0]["text/plain"]
    assert html.count('scope="col"') == 4 and html.count('scope="row"') == 2 and "<caption" in html
    assert "VAE &amp; more" in html and html.count("text-align:right") == 2 * 3, "columns with figures at the right"
    assert text.splitlines()[0].split() == ["model", "error", "share", "edges"] and text.endswith("Lower is better.")
    for rows in ([], [("AE", 1)], [("AE", 1, 2, 3)]):
        with pytest.raises(ValueError, match="one entry for each of the columns"):
            show_table(rows, ["model", "error", "share"], "")


@pytest.fixture
def shell(monkeypatch):
    """A shell that looks like a kernel's: `passed` asks it to call when the cell is done."""
    shell = InteractiveShell.instance()
    monkeypatch.setattr(shell, "kernel", object(), raising=False)
    yield shell
    InteractiveShell.clear_instance()


def test_checks_of_a_cell_make_one_line_when_it_is_done(shell, monkeypatch, capsys):
    outputs = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: outputs.append(data))
    shell.push({"checks": checks, "x": torch.ones(2, 3), "outputs": outputs})
    shell.run_cell("checks.check_close('softmax', x, x); checks.check_shape('<z>', x, (2, 3)); before = len(outputs)")
    assert [out["text/plain"] for out in outputs] == ["✓ 2 checks: softmax; <z>"] and shell.user_ns["before"] == 0
    assert "<li>&lt;z&gt;: shape (2, 3)</li>" in outputs[0]["text/html"] and "<details" in outputs[0]["text/html"]
    shell.run_cell("checks.check_that('fewer than nine', True)")
    assert outputs[1]["text/plain"] == "✓ fewer than nine" and "<details" not in outputs[1]["text/html"]
    shell.run_cell("checks.check_close('first', x, x); checks.check_that('more than nine', x.sum() > 9)")
    assert outputs[2]["text/plain"] == "✓ first" and "this does not hold: more than nine" in capsys.readouterr().out
    shell.run_cell("pass")
    assert len(outputs) == 3


def test_outside_a_notebook_each_check_prints(capsys):
    checks.check_that("1 < 2", True)
    checks.check_shape("z", torch.ones(2), (2,))
    assert capsys.readouterr().out == "✓ 1 < 2\n✓ z: shape (2,)\n"


def test_a_source_in_colour_is_the_source(shown):
    source.show_source(sentences.marked_differences)
    html = shown[0]["text/html"]
    code = html.split("<code>")[1].split("</code>")[0]
    text = re.sub("<[^>]*>", "", code)
    for escaped, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'"), ("&amp;", "&")):
        text = text.replace(escaped, sign)
    assert text == source.source(sentences.marked_differences)[1] and "white-space:pre;" in html
    assert re.search(r'keyword-color[^>]*>def</span>', code) and "```python" in shown[0]["text/markdown"]
