"""Notebook 00b: its toys against independent sums, its artist, its exercises with each likely mistake, its widgets."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from played import check_knobs, play

from helpers.course import notebook_files
from helpers.data import scenes
from helpers.lessons.first_network import drawings, exercises, toy_drawings, toys
from helpers.lessons.first_network.artist import RandomArtist, as_asked
from helpers.lessons.first_network.experiments import shape_batches, shapes_named, share_of_shapes
from helpers.models.classifier import ConvClassifier
from helpers.show.stepper import stepper
from helpers.show.widgets import Sweep

# -- a line ----------------------------------------------------------------------------------------


@pytest.fixture
def days():
    return toys.warm_days()


def test_the_loss_is_the_mean_of_squares_also_over_a_table(days):
    x, y = days
    expected = sum((0.5 * a - 0.2 - b) ** 2 for a, b in zip(x.tolist(), y.tolist(), strict=True)) / len(x)
    assert toys.line_loss(x, y, 0.5, -0.2).item() == pytest.approx(expected, abs=1e-6)
    table = toys.line_loss(x, y, torch.tensor([[[0.5], [1.0]]]), torch.tensor([[[-0.2]], [[0.7]]]))
    assert table.shape == (2, 2) and table[0, 0].item() == pytest.approx(expected, abs=1e-6)


def test_the_best_line_is_that_of_least_squares(days):
    x, y = days
    expected = torch.linalg.lstsq(torch.stack([x, torch.ones(len(x))], 1), y).solution
    torch.testing.assert_close(torch.tensor(toys.best_line(x, y)), expected, atol=1e-5, rtol=0)
    assert abs(expected[0] - 0.8) < 0.1 and abs(expected[1] - 0.3) < 0.1  # what the days were made of


def test_a_walk_follows_autograd(days):
    line = torch.tensor([-1.2, 1.6], requires_grad=True)
    way = toys.walk(*days, 0.3, 3)
    for k in range(3):
        torch.testing.assert_close(way[k], line.detach())
        toys.line_loss(*days, line[0], line[1]).backward()
        line = (line - 0.3 * line.grad).detach().requires_grad_()
    torch.testing.assert_close(way[3], line.detach())


def test_a_small_rate_crawls_a_good_one_arrives_a_large_one_diverges(days):
    loss = {rate: [toys.line_loss(*days, *line).item() for line in toys.walk(*days, rate, 30)]
            for rate in (0.02, 0.3, 1.1)}
    least = toys.line_loss(*days, *toys.best_line(*days)).item()
    assert loss[0.3][-1] == pytest.approx(least, rel=1e-3) and loss[0.02][-1] > 5 * least
    assert all(b > a for a, b in zip(loss[1.1], loss[1.1][1:], strict=False))


# -- layers, stamps --------------------------------------------------------------------------------


def test_without_a_bend_a_net_is_a_line_and_with_four_it_follows_the_wave():
    x, y = toys.wave_points()
    straight, bent = toys.bent_net(16, False, 1), toys.bent_net(4, True, 1)
    ends = toys.fit_net(straight, x, y), toys.fit_net(bent, x, y)
    with torch.no_grad():
        assert straight(x).diff(dim=0).diff(dim=0).abs().max() < 1e-4
    best = torch.linalg.lstsq(torch.cat([x, torch.ones_like(x)], 1), y)
    line = (torch.cat([x, torch.ones_like(x)], 1) @ best.solution - y).square().mean().item()
    assert ends[0] == pytest.approx(line, rel=1e-2) and ends[1] < 0.02


def test_a_net_is_its_seeds_and_leaves_the_generator_alone():
    before = torch.get_rng_state()
    a, b, c = (toys.bent_net(3, True, seed)[0].weight for seed in (1, 1, 2))
    assert torch.equal(a, b) and not torch.equal(a, c) and torch.equal(before, torch.get_rng_state())


def test_stamps_answer_where_they_should():
    upright = torch.cat([torch.full((8, 4), -1.0), torch.ones(8, 4)], 1)
    answers = {name: F.conv2d(upright[None, None], stamp[None, None])[0, 0] for name, stamp in toys.STAMPS.items()}
    assert answers["left and right differ"][:, 2:4].abs().min() > 1
    assert answers["left and right differ"][:, [0, 1, 4, 5]].abs().max() < 1e-6
    assert answers["top and bottom differ"].abs().max() < 1e-6
    torch.testing.assert_close(answers["only the middle"], upright[1:-1, 1:-1])
    torch.testing.assert_close(answers["the mean of nine"], F.avg_pool2d(upright[None], 3, 1)[0])


# -- pictures --------------------------------------------------------------------------------------


def test_the_map_is_darkest_at_the_best_line(days):
    board = toy_drawings.Board(toy_drawings.W_RANGE, toy_drawings.B_RANGE)
    far = torch.tensor([[toy_drawings.W_RANGE[0] - 9.0, 0.0]])  # a walk that is not on the map
    picture = toy_drawings.loss_map(*days, far).sum(2)[3:-3, 3:-3]
    row, column = np.unravel_index(picture.argmin(), picture.shape)
    w, b = toys.best_line(*days)
    [(across, down)] = board.at(w, b)
    assert abs(column + 3 - across / 2) < 6 and abs(row + 3 - down / 2) < 6


def test_a_stamped_picture_is_done_up_to_the_stamp():
    grey = scenes.draw(torch.tensor([[1, 2, 1, 1, 1, 0]]))[0].mean(0)
    pictures = [toy_drawings.stamped(grey, toys.STAMPS["the mean of nine"], 29, 29 if last else 0) for last in (0, 1)]
    blank = [(picture == np.array(toy_drawings.NOT_YET)).all(2).sum() for picture in pictures]
    assert blank[0] > 29 * 81 - 200 and blank[1] == 0
    assert pictures[0].shape == pictures[1].shape


def test_numbers_have_a_sign_and_zeros_none():
    assert [toy_drawings.signed(n) for n in (1, -0.333, 0.001, -0.001)] == ["+1.00", "−0.33", "0", "0"]


def test_bars_are_as_high_as_the_softmax():
    images = scenes.draw(torch.tensor([[k, 0, 1, 1, 1, 0] for k in range(4)]))
    scores = torch.tensor([2.0, 0.0, 1.0, -1.0])
    picture = toy_drawings.probability_bars(images, scores, right=0)
    red = (picture == np.frombuffer(bytes.fromhex(toy_drawings.MODEL[1:]), np.uint8)).all(2)
    assert red.any(1).sum() == round(150 * scores.softmax(0)[0].item())


def test_the_figures_can_be_drawn():
    x = scenes.draw(torch.tensor([[0, 0, 1, 1, 1, 0]]))
    net, model = toys.bent_net(8, True), ConvClassifier(4)
    for diagram in (drawings.picture_as_numbers(x[0]), drawings.layers_that_bend(net, 0.5),
                    drawings.first_network(model, x)):
        assert diagram._repr_svg_().startswith("<svg")
    numbers = drawings.picture_as_numbers(x[0], 14, 14)._repr_svg_()
    assert numbers.count(f'aria-label="{x[0, 0, 16, 16]:.2f}"') == 16  # the inside of the circle


# -- the network -----------------------------------------------------------------------------------


def test_batches_hold_pictures_with_their_shapes():
    x, shape = shape_batches(16)(0)
    assert x.shape == (16, 3, 32, 32) and torch.equal(scenes.parse(x).factors[:, 0], shape)


def test_a_network_that_reads_the_scene_is_always_right_and_one_that_knows_nothing_is_not():
    def read(x):
        return F.one_hot(scenes.parse(x).factors[:, 0], 4).float()

    assert share_of_shapes(read, n=60) == 1 and share_of_shapes(read, "held_out", n=60) == 1
    assert share_of_shapes(lambda x: torch.eye(4)[torch.zeros(len(x), dtype=torch.long)], n=400) < 0.4


def test_the_shipped_network_names_shapes_and_a_purple_circle_less_often():
    from helpers.training.checkpoints import load

    named = shapes_named(load("shape-classifier")[0])
    assert named["new"] >= 0.99 > 0.95 > named["held_out"]


# -- the artist ------------------------------------------------------------------------------------


class Oracle:
    """A CLIP for the test: a picture's place is what is in it, and a text's place the colour that it names."""

    def pictures(self, images):
        return F.one_hot(scenes.parse(images).factors[:, 1], 8).float()

    def texts(self, prompts):
        return F.one_hot(torch.tensor([scenes.COLOURS.index(text) for text in prompts]), 8).float()


@pytest.fixture(scope="module")
def artist():
    from helpers.training.checkpoints import load

    return RandomArtist(load("autoencoder-scenes-12")[0], load("clip")[0])


def test_the_reader_chooses_the_picture(artist, monkeypatch):
    monkeypatch.setattr(artist, "reader", Oracle())
    monkeypatch.setattr(artist, "_tried", {})
    drawn = artist.draw(["green", "pink", "green"], seed=7)
    assert [scenes.COLOURS[k] for k in scenes.parse(drawn).factors[:, 1]] == ["green", "pink", "green"]
    assert not torch.equal(drawn[0], drawn[2])  # each has draws of its own


def test_the_first_pictures_do_not_depend_on_the_others(artist):
    one, three = artist.draw(["a red circle"], 5), artist.draw(["a red circle", "a star", "원"], 5)
    assert torch.equal(one[0], three[0]) and three.shape == (3, 3, 32, 32) and three.abs().max() <= 1
    assert not torch.equal(one, artist.draw(["a red circle"], 6))


def test_what_cannot_be_read_is_refused_in_words(artist):
    for prompts in ([""], ["a 龘 star"], []):
        with pytest.raises(ValueError, match=" "):
            artist.draw(prompts)


def test_shares_of_an_artist_that_draws_what_was_asked_and_of_one_that_is_blind():
    class Exact:
        def draw(self, prompts, seed=0):
            words = [prompt.split() for prompt in prompts]
            return scenes.draw(torch.tensor([[scenes.SHAPES.index(shape), scenes.COLOURS.index(colour),
                                              scenes.SIZES.index(size), 1, 1, 0] for _, size, colour, shape in words]))

    class Blind(Exact):
        def draw(self, prompts, seed=0):
            return super().draw(["a big green circle"] * len(prompts))

    assert as_asked(Exact()) == {"shape": 1, "colour": 1, "size": 1, "all": 1}
    assert as_asked(Blind())["all"] == pytest.approx(1 / 56) and as_asked(Blind())["size"] == 0.5


# -- exercises -------------------------------------------------------------------------------------


def fit(x, y, rate, steps, factor=2.0, way=-1, mean=torch.mean, at_once=True):
    w, b = 0.0, 0.0
    for _ in range(steps):
        error = w * x + b - y
        w = w + way * rate * factor * mean(error * x)
        error = error if at_once else w * x + b - y
        b = b + way * rate * factor * mean(error)
    return w, b


@pytest.mark.parametrize(("answer", "verdict", "hint"), [
    (fit, "✓", ""),
    (lambda *a: fit(*a, way=1), "✗", "uphill"),
    (lambda *a: fit(*a, factor=1.0), "✗", "factor of 2"),
    (lambda *a: fit(*a, mean=torch.sum), "✗", "the mean over the points"),
    (lambda *a: fit(*a, at_once=False), "✗", "after one step"),
    (lambda *a: fit(*a[:3], a[3] + 1), "✗", "no step"),
    (lambda *a: ..., "○", ""),
])
def test_fit_line(answer, verdict, hint, capsys):
    exercises.fit_line().check(answer)
    said = capsys.readouterr().out
    assert said.startswith(verdict) and hint in said


def loss(scores, right, way=-1, dim=1, end=torch.mean):
    return end(way * scores.softmax(dim)[range(len(right)), right].log())


@pytest.mark.parametrize(("answer", "verdict", "hint"), [
    (loss, "✓", ""),
    (lambda s, r: loss(s, r, way=1), "✗", "sign"),
    (lambda s, r: loss(s, r, dim=0), "✗", "softmax(1)"),
    (lambda s, r: loss(s, r, end=torch.sum), "✗", "sum over the batch"),
    (lambda s, r: loss(s, r, end=lambda x: x), "✗", "one number"),
    (lambda s, r: loss(s, r) / math.log(2), "✗", "three pictures"),
    (lambda s, r: ..., "○", ""),
])
def test_batch_loss(answer, verdict, hint, capsys):
    exercises.batch_loss().check(answer)
    said = capsys.readouterr().out
    assert said.startswith(verdict) and hint in said


# -- widgets ---------------------------------------------------------------------------------------


def test_a_press_adds_one_step_and_draws_it(monkeypatch):
    monkeypatch.setenv("COURSE_SYNC_WIDGETS", "1")
    sweep = Sweep(lambda steps: (np.full((4, 4, 3), steps, np.uint8), f"step {steps}"),
                  {"steps": stepper("steps", "one more", 2)}, "c", question="how many?")
    knob = sweep.knobs["steps"]
    for count in (1, 2, 2):  # the slider ends at 2
        knob.button.click()
        assert knob.value == knob.slider.value == count and f"step {count}" in sweep.status.value
    knob.slider.value = 0
    assert sweep.values() == {"steps": 0} and "steps: 0" in sweep.status.value
    sweep.close()
    assert knob.slider.comm is None and knob.button.comm is None


def test_every_knob_changes_the_picture_and_not_its_shape():
    left_out = ("bootstrap", "exercise", "solution", "drawing")

    def wanted(cell):
        training = "draw, losses" in cell.source
        return not training and not any(notebook_files.tagged(cell, tag) for tag in left_out)

    _, sweeps = play("00b_first_network.ipynb", wanted)
    assert len(sweeps) == 6
    descend = sweeps[1]
    shown = [descend.render(steps=steps, rate=0.1)[0] for steps in (0, 30)]
    assert shown[0].shape == shown[1].shape and (shown[0] != shown[1]).any()
    for sweep in (*sweeps[:1], *sweeps[2:5]):
        check_knobs(sweep)
    said = [sweeps[5].render(sentence=text, seed=0)[1] for text in ("a big red circle", "a small blue star")]
    assert said[0] != said[1] and "red" in said[0] and "blue" in said[1]
