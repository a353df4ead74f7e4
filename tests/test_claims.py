"""What a page says of its networks is false of networks that were not trained."""

from types import SimpleNamespace

import nbformat
import pytest
import torch

from helpers import ROOT
from helpers.course import notebook_files
from helpers.lessons.seq2seq_vs_autoencoder import experiments
from helpers.training import recipes

NOTHING = [0.0] * 5  # a network that gets no sentence right, of one object to five
STEPS = ("900 steps", "3,600 steps", "7,200 steps")
CLAIMS = {
    "01_seq2seq_attention": [
        {"by_count": dict.fromkeys(STEPS, NOTHING)},
        {"looking": {"with attention, 900 steps": NOTHING}},
        {"exact_brief": {"one vector": NOTHING, "attention": NOTHING}},
    ],
    "03_seq2seq_vs_autoencoder": [
        {"table": {("the same", *middle): NOTHING for middle in (("attention", 900), ("one vector", 3600))}},
    ],
}


def judge(notebook, names):
    """{claim: whether it holds} of the page's only cell of claims about these names."""
    cells = nbformat.read(ROOT / f"notebooks/{notebook}.ipynb", as_version=4).cells
    [source] = [cell.source for cell in cells if notebook_files.tagged(cell, "nbval-check-output")
                and all(name in cell.source for name in names)]
    found = {}
    checks = SimpleNamespace(check_that=lambda claim, holds: found.update({claim: bool(holds)}))
    exec(source, names | {"checks": checks})
    return found


@pytest.mark.parametrize("notebook, names", [(page, names) for page, claims in CLAIMS.items() for names in claims])
def test_no_sentence_right(notebook, names):
    found = judge(notebook, names)
    assert found and not any(found.values())


def test_no_alarm():
    torch.manual_seed(0)
    watchers = {code: recipes.find(f"shapes-{code}").build().eval() for code in experiments.WATCHER_CODES}
    known, with_square, unseen = experiments.odd_pictures(200)
    found = judge("03_seq2seq_vs_autoencoder", {"watchers": watchers, "known": known, "with_square": with_square,
                                                "unseen": unseen, "experiments": experiments})
    assert len(found) == 2 and not any(found.values())
