"""Notebook 16 as a page: its knobs, the pictures of its widgets, its toys, its figures, its scores and exercises."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from played import check_knobs, play

from helpers import ROOT
from helpers.course import notebook_files
from helpers.data import scenes
from helpers.lessons.dalle import drawings, exercises, experiments, faces, planes, recipes, scores, towers
from helpers.models.dalle import dalle_loss
from helpers.models.quantizers import perplexity
from helpers.models.vqvae import VQVAE
from helpers.show.heatmaps import FRAME, shade
from helpers.systems.dalle import DallE
from helpers.training import tuning
from helpers.training.loop import train

PAGE = "16_dalle.ipynb"
NAMES = ("collapse", "gumbel", "painter", "luck", "swap")


def tiny_system():
    torch.manual_seed(0)
    stage = VQVAE(quantizer=recipes.CODEBOOK, looks=8, widths=(8, 8)).eval()
    stage.quantizer.codebook.copy_(stage.encoder(scenes.make_scenes(8, 0)[0]).detach().movedim(1, -1).flatten(0, 2))
    return DallE(recipes.beginning_to_write({"width": 64, "depth": 1, "heads": 2}).eval(), stage)


@pytest.fixture(scope="module")
def system():
    return tiny_system()


# -- the widgets ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sweeps(system):
    """{a name for each: a sweep of the page}, drawn by a tiny system."""
    def wanted(cell):
        tags = any(notebook_files.tagged(cell, tag) for tag in ("bootstrap", "exercise", "gap", "drawing"))
        return not tags and any(words in cell.source for words in ("from helpers.course", "shipped_dalle", "Sweep("))

    def without_pictures(source):
        return source.split("texts = ")[0] if "shipped_dalle" in source else source

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiments, "shipped_dalle", lambda: system)
        return dict(zip(NAMES, play(PAGE, wanted, without_pictures)[1], strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_every_knob_changes_the_picture_and_not_its_shape(sweeps, name):
    sweep = sweeps[name]
    render, knobs = sweep.render, sweep.knobs
    assert len(knobs) <= 3, "at most three knobs in view"
    typed = {key: knob.value for key, knob in knobs.items() if key == "text"}
    sweep.knobs = {key: knob for key, knob in knobs.items() if key != "text"}
    sweep.render = lambda **values: render(**typed, **values)
    try:
        check_knobs(sweep)
    finally:
        sweep.render, sweep.knobs = render, knobs


@pytest.mark.parametrize("name", ["painter", "luck"])
def test_what_cannot_be_read_is_told(sweeps, name):
    sweep = sweeps[name]
    assert "not read: 龘" in sweep.render(**sweep.values() | {"text": "a blue 龘"})[1]
    assert "no caption" in sweep.render(**sweep.values() | {"text": ""})[1]
    with pytest.raises(ValueError, match="10,000 characters"):
        sweep.render(**sweep.values() | {"text": "a" * 10_000})


def test_a_token_that_is_not_there_is_refused(system):
    for token in (-1, 65):
        with pytest.raises(ValueError, match="0 to 64 tokens"):
            faces.painter_face(system, "a star", token, 0)


# -- their pictures ------------------------------------------------------------------------------------------------


def places_of(sheet):
    """The places of a picture with numbers: (8, 8, 40, 40, 3)."""
    return sheet.reshape(8, faces.PLACE_SIDE, 8, faces.PLACE_SIDE, 3).swapaxes(1, 2)


def test_only_what_is_written_is_in_view():
    picture, codes = -torch.ones(3, 32, 32), torch.arange(64).view(8, 8)
    boxes = places_of(faces.numbered(picture, codes, written=11, frame=11)).reshape(64, *2 * [faces.PLACE_SIDE], 3)
    middle = boxes[:, 5:20, 5:35]
    assert (middle[:11] == 0).all() and (middle[11:] == faces.NOT_WRITTEN).all()
    assert (boxes[11, 0] == FRAME).all() and not (boxes[10, 0] == FRAME).all() and not (boxes[12, 0] == FRAME).all()


def test_a_number_stands_on_its_place_and_can_be_read():
    picture, codes = torch.ones(3, 32, 32), torch.arange(64).view(8, 8)
    light, dark = (faces.numbered(sign * picture, codes) for sign in (1, -1))
    assert (places_of(light)[0, 0] < 100).any() and (places_of(dark)[0, 0] > 150).any()
    other = codes.clone()
    other[3, 4] = 511
    differs = (places_of(light) != places_of(faces.numbered(picture, other))).any((2, 3, 4))
    assert np.argwhere(differs).tolist() == [[3, 4]]


def test_the_painter_shows_what_is_drawn_next(system):
    shown, line = faces.painter_face(system, "a star", 64, 0)
    assert "is written" in line and "64" not in line
    assert "3 of 64 tokens" in faces.painter_face(system, "a star", 3, 0)[1]
    codes = faces.written_codes(system, "a star", 0, 0.7)
    same = faces.candidate(system, codes, 3, int(codes[0, 3]))
    whole = system.decode(system.model.grid(codes))[0, :, :4, 12:16]
    middle = same[1:-1, 1:-1][6::12, 6::12]
    assert np.abs(middle / 127.5 - 1 - whole.permute(1, 2, 0).numpy()).max() < 0.01


def test_one_code_is_exchanged(system, monkeypatch):
    seen = []
    decode = system.decode
    monkeypatch.setattr(system, "decode", lambda codes: seen.append(codes) or decode(codes))
    _, line = faces.swap_face(system, 3, 5, 2)
    before, after = seen[-1]
    others = system.encode(scenes.make_scenes(6, 61)[0].roll(-1, 0))
    assert (before != after).nonzero().tolist() in ([[3, 5]], []) and after[3, 5] == others[2, 3, 5]
    assert line.startswith(f"code {before[3, 5]} became {after[3, 5]}: ") and "→" in line


def test_maps_of_swaps_have_one_scale():
    shares = torch.zeros(64, 6)
    shares[9, 1], shares[10, 1] = 0.25, 0.9
    maps = faces.swap_maps(shares)
    assert maps.shape == (6, 8, 8, 3) and (maps[1, 1, 1] == shade(1.0)).all() and (maps[1, 1, 2] == shade(1.0)).all()
    assert (maps[0] == shade(0.0)).all() and (maps[1, 2, 1] == shade(0.0)).all(), "rows and columns are not exchanged"


def test_a_codebook_left_alone_stays_dead_and_each_cure_helps():
    start, _ = planes.followed("none", 0)
    for cure, alive in (("none", False), ("restart", True), ("k-means", True)):
        codes, chosen = planes.followed(cure, 100)
        assert (len(chosen.unique()) >= 15) == alive, cure
        if not alive:
            dead = [code for code in range(planes.ON_THE_PLANE) if code not in chosen]
            assert len(dead) >= 5 and torch.allclose(codes[dead], start[dead], atol=0.05), "nothing moves them"
    _, chosen = planes.followed("none", 100)
    line = planes.collapse_face("none", 100, 0)[1]
    assert f"{len(chosen.unique())} of 16 codes" in line and f"{perplexity(chosen, 16):.1f}" in line


def test_a_mixture_hardens_as_the_temperature_falls():
    weights = [float(planes.gumbel_face(t, 0)[1].split()[7].rstrip(",")) for t in (100, 1, 0.01)]
    assert weights == sorted(weights) and weights[0] < 0.2 and weights[-1] > 0.98


def test_a_plane_shows_points_codes_and_lines_where_they_are():
    points, codes = torch.tensor([[0.8, 0.4]]), torch.tensor([[2.0, 0.4], [0.8, 2.0]])
    sheet = planes.code_plane(points, codes, codes[:1], used=torch.tensor([True, False]))[24:, :planes.PLANE]
    half, scale = planes.PLANE // 2, planes.PLANE / 2 / planes.PLANE_REACH
    assert sheet[half, half].argmax() == 2, "a blue dot in the middle"
    right, above = sheet[half, half + round(1.2 * scale)], sheet[half - round(1.6 * scale), half]
    assert right.argmax() == 0 and right[0] > 200 > right[1], "the code is to the right, in red"
    assert above.max() < 200 and np.ptp(above.astype(int)) < 10, "the other is a grey cross, above"
    line = sheet[half, half + round(0.6 * scale)]
    assert line.max() < 240 and (sheet[half, half - round(0.6 * scale)] == 255).all()


# -- the toy of towers ---------------------------------------------------------------------------------------------


def test_a_tower_by_hand():
    assert towers.tower(2, 1).tolist() == [[0, 0, 0, 0], [0, 0, 0, 0], [0, 3, 0, 0], [1, 2, 1, 1]]
    assert towers.tower(4, 3).tolist() == [[0, 0, 0, 3], [0, 0, 0, 2], [0, 0, 0, 2], [1, 1, 1, 2]]


def test_texts_say_how_high_and_all_columns_occur():
    codes, texts = towers.towers(200, torch.Generator().manual_seed(0))
    height = (codes >= towers.WALL).flatten(1).sum(1).tolist()
    assert [towers.HEIGHTS[text.split()[1]] for text in texts] == height and set(height) == {2, 4}
    assert set((codes == towers.ROOF).any(1).int().argmax(1).tolist()) == {0, 1, 2, 3}
    assert towers.whole(codes).all()


def test_what_is_no_tower():
    codes = towers.tower(4, 1)[None].repeat(3, 1, 1)
    codes[0, 0] = towers.SKY
    codes[1, 2:] = towers.tower(4, 2)[2:]
    codes[2, -1, 0] = towers.WALL
    assert not towers.whole(codes).any()


def test_paints_are_a_first_stage():
    codes, _ = towers.towers(20)
    pictures = towers.TowerStage().decode(codes)
    assert pictures.shape == (20, 3, 4, 4) and pictures.abs().max() <= 1
    assert torch.equal(towers.TowerStage().encode(pictures), codes)


class Knowing(torch.nn.Module):
    """Knows all that can be known of towers: the text, and the column as soon as it was seen."""

    def __init__(self):
        super().__init__()
        self.words, self.codes = len(towers.TOWER_WORDS), 4
        self.written = towers.tower_writer().written

    def forward(self, texts, codes):
        kinds = torch.tensor([4 if "high" in text else 2 for text in self.read(texts)])
        possible = torch.stack([torch.stack([towers.tower(height, column).flatten() for column in range(4)])
                                for height in kinds.tolist()])                                    # (B, 4, P)
        agrees = (possible == codes[:, None]).cumprod(2).roll(1, 2)
        agrees[:, :, 0] = 1
        of_codes = torch.einsum("bcp,bcpk->bpk", agrees.float(), torch.nn.functional.one_hot(possible, 4).float())
        following = torch.zeros(len(texts), 4, self.words)
        for place, names in enumerate((["▁low", "▁high"], ["▁tower"], ["</s>"])):
            following[:, place, [towers.TOWER_WORDS.index(name) for name in names]] = 1
        return following.clamp(min=1e-9).log(), of_codes.clamp(min=1e-9).log()

    def read(self, texts):
        return [" ".join(towers.TOWER_WORDS[number] for number in row) for row in texts.tolist()]


def test_nobody_guesses_better_than_who_knows_all():
    parts = dalle_loss(Knowing(), towers.tower_batches(0, 64))[1]
    assert parts["image"].item() == pytest.approx(towers.COLUMN_NATS / 16, abs=1e-5)
    assert parts["text"].item() == pytest.approx(towers.KIND_NATS / 3, abs=1e-5)


def test_the_toy_learns_upwards_in_seconds():
    torch.manual_seed(0)
    model = towers.tower_writer("up")
    train(model, towers.tower_batches, dalle_loss, 150, lr=1e-2, label=None)
    codes = torch.stack([towers.tower(4, column % 4) for column in range(40)])
    *_, written = DallE(model, towers.TowerStage()).path(["a high tower"] * 40, known=model.written(codes)[:, :8])
    assert (model.grid(written) == codes).flatten(1).all(1).float().mean() > 0.8


# -- figures and scores --------------------------------------------------------------------------------------------


def test_the_figure_shows_the_codes_that_are_written(system):
    x = scenes.make_scenes(1, 0)[0]
    first, same, other = (drawings.two_stages(system, "a star", x, seed)._repr_svg_() for seed in (7, 7, 8))
    assert first == same != other and f'aria-label="{int(system.encode(x)[0, 0, 0])}"' in first
    assert all(f'aria-label="{name}"' in first for name in ("Transformer", "CLIP", "star", "64 codes"))


def test_recorded_figures_are_drawn(monkeypatch, tmp_path):
    values = {f"dalle.temperature.{place:g}.{name}": {"value": 0.1 * number + place / 4}
              for place in experiments.TEMPERATURES for number, name in enumerate(("asked", "valid", "both"))}
    values |= {f"dalle.choice.{who}.{n}": {"value": n / 20} for n in experiments.CANDIDATES_TRIED
               for who in ("clip", "oracle")}
    (tmp_path / "scores.json").write_text(json.dumps({"scores": values}))
    monkeypatch.setattr(drawings, "PATH", tmp_path / "scores.json")
    lines = drawings.temperature_figure().axes[0].get_lines()
    assert len(lines) == 3 and lines[1].get_ydata()[-1] == pytest.approx(0.4) and lines[0].get_xdata()[-1] == 1.2
    lines = drawings.choice_figure().axes[0].get_lines()
    assert [line.get_ydata().tolist() for line in lines] == [[n / 20 for n in experiments.CANDIDATES_TRIED]] * 2


def test_scores_have_their_group_s_name(monkeypatch, system):
    both = {f"{kind}.{name}": 0.96 for kind in ("one", "two") for name in ("asked", "valid", "both")}
    figures = both | {"used": 500.0, "perplexity": 60.0, "training_seconds": 120.0}
    monkeypatch.setattr(scores, "system", lambda: system)
    monkeypatch.setattr(scores, "load", lambda name: (system.model, SimpleNamespace(metrics=figures)))
    monkeypatch.setattr(scores, "ZeroShot", lambda model: None)
    monkeypatch.setattr(tuning, "find", lambda name: figures)
    monkeypatch.setattr(tuning, "read", lambda: {scores.writing_timed(): {"cached_seconds": 0.16,
                                                                          "anew_seconds": 0.8}})
    drawn = scenes.make_scenes(4, 0)[0]
    for name, value in (("judge_codes", figures), ("wrote", drawn), ("completed", drawn),
                        ("swapped_codes", torch.rand(64, 6)),
                        ("along_temperatures", {name: [0.5] * 7 for name in ("asked", "valid", "both")}),
                        ("choices", {"clip": [0.5, 0.5, 0.5, 0.6, 0.6], "oracle": [0.5, 0.6, 0.7, 0.8, 0.9]})):
        monkeypatch.setattr(experiments, name, lambda *args, _value=value, **options: _value)
    for name in ("WRITTEN", "CHOSEN_FROM", "HALVES"):
        monkeypatch.setattr(scores, name, 4)
    scores.written.cache_clear()
    found = {}
    for name, yields in scores.groups():
        of = list(yields())
        assert of and all(score.name.startswith(f"{name}.") for score in of) and all(math.isfinite(s.value) for s in of)
        assert not found.keys() & {score.name for score in of}, name
        found |= {score.name: score for score in of}
    scores.written.cache_clear()
    assert found["dalle.choice.gain"].value == pytest.approx(0.1) and found["dalle.choice.gain"].verdict == "met"
    assert found["dalle.seconds.cached"].text() == "10" and found["dalle.seconds.ratio"].text() == "5.0"
    assert found["dalle.trip.tuned.one"].verdict == "met" and found["dalle.writer.minutes"].text() == "2"


def test_the_page_quotes_what_the_scores_yield():
    """Every mark of the page begins as one of the groups does."""
    page = notebook_files.read_page(ROOT / "notebooks" / PAGE)
    marks = {name for cell in page.cells for name in notebook_files.SCORE.findall(cell.source)}
    groups = [name for name, _ in scores.groups()]
    assert len(marks) > 60 and all(any(mark.startswith(f"{name}.") for name in groups) for mark in marks)


# -- exercises -----------------------------------------------------------------------------------------------------


def verdict(exercise, answer, capsys):
    exercise.check(answer)
    return capsys.readouterr().out


def mask(said, places):
    total = said.shape[1] + places
    before = torch.ones(total, total, dtype=torch.bool).tril()
    return before & torch.nn.functional.pad(said, (0, places), value=True)[:, None]


def changed(answer, change):
    def wrong(said, places):
        found = answer(said, places)
        change(found, said.shape[1])
        return found
    return wrong


@pytest.mark.parametrize(("answer", "says"), [
    (mask, "✓"), (lambda said, places: ..., "○"), (lambda said, places: mask(said, places).float(), "True and False"),
    (lambda said, places: mask(said, places)[0], "the mask has shape"),
    (lambda said, places: torch.ones_like(mask(said, places)), "reads a place of the picture"),
    (changed(mask, lambda m, t: m[:, t:, t:].logical_or_(torch.tensor(True))), "one that comes later"),
    (changed(mask, lambda m, t: m.diagonal(dim1=1, dim2=2).fill_(False)), "reads itself"),
    (lambda said, places: mask(torch.ones_like(said), places), "filling is never read"),
    (changed(mask, lambda m, t: m[:, t:, :t - 2].fill_(False)), "reads the whole text"),
    (changed(mask, lambda m, t: m[:, 1:2, :1].fill_(False)), "all that stands before it"),
])
def test_who_reads_whom(answer, says, capsys):
    assert says in verdict(exercises.who_reads_whom(), answer, capsys)


def shares(indices, codes):
    share = torch.bincount(indices.flatten(), minlength=codes) / indices.numel()
    return share[share > 0]


def entropy(indices, codes):
    share = shares(indices, codes)
    return -(share * share.log()).sum()


@pytest.mark.parametrize(("answer", "says"), [
    (lambda i, k: entropy(i, k).exp(), "✓"), (lambda i, k: float(entropy(i, k).exp()), "✓"), (entropy, "entropy"),
    (lambda i, k: (-entropy(i, k)).exp(), "minus a sum"), (lambda i, k: (entropy(i, k) / math.log(2)).exp(), "log2"),
    (lambda i, k: torch.tensor(float("nan")), "0 · log 0"), (lambda i, k: len(i.unique()), "the perplexity is"),
    (lambda i, k: shares(i, k), "the perplexity has shape"), (lambda i, k: ..., "○"),
])
def test_codes_counted(answer, says, capsys):
    assert says in verdict(exercises.codes_counted(), answer, capsys)


@pytest.fixture(scope="module")
def tower_system():
    torch.manual_seed(0)
    model = towers.tower_writer()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.2 * torch.randn(weight.shape))
    return DallE(model.eval(), towers.TowerStage())


def halves(system, prompt, codes, place, known=slice(0, 8), tells=None, heard=lambda moved: moved):
    model, row = system.model, system.model.written(codes)
    *_, written = system.path([tells or prompt], temperature=0, known=row[:, known])
    other = row.clone()
    other[0, place] = (row[0, place] + 1) % model.codes
    with torch.no_grad():
        first, second = (model(system.read([prompt]), each)[1][0] for each in (row, other))
    moved = ((first - second).abs().amax(1) > 1e-6).nonzero().flatten().tolist()
    return model.grid(written), heard(moved)


@pytest.mark.parametrize(("how", "says"), [
    ({}, "✓"), ({"known": slice(8, 16)}, "not as it was given"), ({"known": slice(0, 4)}, "not as it was given"),
    ({"known": slice(0, 12)}, "is not what `path` writes"),
    ({"heard": lambda moved: [0, *moved]}, "they cannot have read it"), ({"heard": lambda moved: moved[1:]}, "change"),
    ({"heard": lambda moved: list(range(16))[::-1]}, "cannot have read it"),
    ({"heard": lambda moved: [min(moved, default=16) - 2, *moved]}, "no place before it"),
])
def test_half_a_picture(tower_system, how, says, capsys):
    answer = lambda system, prompt, codes, place: halves(system, prompt, codes, place, **how)  # noqa: E731
    assert says in verdict(exercises.half_a_picture(tower_system), answer, capsys)


def test_half_a_picture_needs_two_things(tower_system, capsys):
    exercise = exercises.half_a_picture(tower_system)
    assert "two things" in verdict(exercise, lambda s, p, codes, place: codes, capsys)
