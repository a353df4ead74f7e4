"""Notebook 08 as a page: every knob of its widgets does something at both ends, and what its prose says is so."""

import itertools
import re

import nbformat
import pytest
import torch
from played import check_knobs, play

from helpers import ROOT
from helpers.course import notebook_files
from helpers.data import scenes
from helpers.lessons.vae import experiments as vae
from helpers.metrics.pictures import squared_error
from helpers.models.vae import gaussian_kl, reparameterize

LEFT_OUT = ("bootstrap", "exercise", "solution")


@pytest.fixture(scope="module")
def played():
    """The notebook's names after all of its cells but the exercises, and its sweeps in their order."""
    return play("08_vae.ipynb", lambda cell: not any(notebook_files.tagged(cell, tag) for tag in LEFT_OUT))


@pytest.fixture
def page(played):
    return played[0]


def test_every_knob_changes_the_picture_and_not_its_shape(played):
    _, sweeps = played
    assert len(sweeps) == 3
    for sweep in sweeps:
        check_knobs(sweep)


def test_new_draws_do_not_depend_on_the_scenes_above_them(played):
    sweep = played[1][0]
    pictures = [sweep.render(beta=10, start=start)[0] for start in (0, 192)]
    below = slice(2 * 100 + 1, None)  # two rows of 32 pixels at scale 3, and their gaps
    assert (pictures[0][below] == pictures[1][below]).all()


def test_no_bar_is_taller_than_its_strip(page):
    assert max(units.max().item() for units in page["units"].values()) <= 7


def test_random_codes_are_far_from_those_of_scenes(page):
    near, far = page["apart"]
    assert far > 3 * near


def test_a_standard_deviation_changes_a_picture_as_much_in_a_wide_cloud_as_in_a_narrow_one(page):
    plane, mu, sigma = page["plane"], page["mu2"], page["sigma2"][:, :1]
    base, to_the_right = vae.decode_all(plane, mu), torch.tensor([1.0, 0.0])
    fixed, own = (squared_error(vae.decode_all(plane, mu + step * to_the_right), base) for step in (0.1, sigma))
    narrow, _, wide = sigma[:, 0].argsort().chunk(3)
    assert fixed[narrow].median() > 3 * fixed[wide].median()
    assert 0.5 < own[narrow].median() / own[wide].median() < 2


# -- beta ------------------------------------------------------------------------------------------


def test_beta_trades_nats_for_error(page):
    kl, error = ([page[name][beta] for beta in page["swept"]] for name in ("kl", "error"))
    assert all(a > b for a, b in itertools.pairwise(kl))
    assert all(a < b for a, b in itertools.pairwise(error))


def test_codes_come_nearer_to_the_prior_number_by_number(page):
    def width(beta):
        mu, logvar = page["posteriors"][beta]
        spread = reparameterize(mu, logvar, torch.Generator().manual_seed(0)).std(0).log()
        return (spread.max() - spread.min()).item()

    assert width(0.1) > width(1) > 2 * width(10)
    assert width(10) < 0.2 and width(100) < 0.2  # as 500 draws of N(0, 1) have it


def test_a_small_weight_has_the_better_bound(page):
    fixed, own = zip(*(page["bounds"][beta] for beta in page["swept"]), strict=True)
    assert page["swept"][fixed.index(min(fixed))] <= 1
    assert all(a < b for a, b in itertools.pairwise(own[1:]))


def test_the_bug_collapses_the_posterior_even_from_weights_that_are_alive(page):
    assert page["kl"][vae.MEAN_BETA] < 0.5 and page["kept"][vae.MEAN_BETA][0] < 0.01
    assert page["parts"]["kl"] < 0.5


def test_the_background_is_what_is_left_and_then_the_place(page):
    by_ground, by_place = page["shares"]
    assert by_ground[0] > 0.8 and (by_ground[1:] < 0.05).all() and (by_place[1:] > 0.35).all()


def test_free_bits_bring_back_the_background_and_the_place(page):
    nats, right = gaussian_kl(*vae.posteriors(page["free"], page["unseen"])).mean(0), page["right"]
    assert (nats < vae.FREE).all() and (nats > 0.3).all()
    assert min(right[name] for name in ("background", "column", "row")) > 0.95
    assert right["shape"] < 0.5 and right["size"] < 0.8 and right["all_six"] < page["kept"][100][0]


def test_more_beta_draws_better_and_redraws_worse_up_to_a_point(page):
    draws = {beta: vae.decode_all(page["models"][beta], vae.seeded((1000, 32))) for beta in page["swept"][1:]}
    nameable = {beta: scenes.parse(pictures).shares()["nameable"] for beta, pictures in draws.items()}
    assert 0.2 > nameable[100] > 1.3 * nameable[10] > 3 * nameable[1] and nameable[300] < 0.6 * nameable[100]
    assert page["kept"][100][0] < page["kept"][10][0] < page["kept"][1][0]


# -- blur and draws --------------------------------------------------------------------------------


def test_the_draw_at_the_end_adds_no_blur(page):
    scene, plain, mean, drawn = (vae.steepest_edge(x) for x in page["rows"].values())
    assert scene > plain > mean and scene - plain > plain - mean
    assert drawn == pytest.approx(mean, rel=0.05)


def test_equation_6_is_what_the_decoder_draws(page):
    assert page["near"] < page["far"] / 5


def test_the_decoder_is_clear_where_few_draws_fall_and_not_where_many_do(page):
    pale, dark = vae.decode_all(page["plane"], torch.tensor([[0.0, 1.5], [1.0, 3.4]]))[:, None]
    assert vae.steepest_edge(dark) > 3 * vae.steepest_edge(pale)
    assert not scenes.parse(torch.cat([pale, dark])).nameable.any()


def test_hardly_a_reconstruction_is_valid_and_most_can_be_named(page):
    valid, nameable = scenes.parse(page["decoded"]).shares().values()
    assert valid < 0.05 and nameable > 0.5
    assert all(named > among_all for among_all, named in (page["kept"][beta] for beta in (1, 10, 100)))


def test_draws_are_called_what_the_parser_calls_them(page):
    assert page["verdict"].nameable.sum() >= 24 and len(page["faulty"]) == 4 and "" not in page["faulty"]
    for word, pictures in page["faulty"].items():
        said = scenes.parse(pictures)
        assert len(pictures) == 8 and said.words == [word] * 8 and not said.nameable.any()


def test_mathematics_in_tables_has_no_norms_where_conditions_are_meant():
    for cell in nbformat.read(ROOT / "notebooks" / "08_vae.ipynb", as_version=4).cells:
        rows = [line for line in cell.source.splitlines() if line.startswith("|")]
        assert not re.search(r"[a-z]\\\|[a-z]", "\n".join(rows))
