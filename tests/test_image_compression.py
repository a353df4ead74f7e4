"""Notebook 05: files of pictures, the codec, what is trained for it, its exercises and its widgets."""

import io
import itertools
import math
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from played import check_knobs, play

from helpers.data import scenes
from helpers.data.batches import NEW_SCENES_SEED, in_batches
from helpers.lessons.image_compression import exercises, experiments, file_formats
from helpers.metrics.pca import PCA
from helpers.metrics.pictures import mse
from helpers.models.codec import FINE, GDN, Codec, Tables, rate_distortion_loss
from helpers.systems import codec
from helpers.systems.codec import FileError, VectorCoder, compress, decompress, trained_codec
from helpers.systems.range_coding import Quantiser, frequencies
from helpers.training import recipes
from helpers.training.checkpoints import load


@pytest.fixture(scope="module")
def emoji():
    return file_formats.mosaic(experiments.held_out_emoji(32), 8)  # (128, 256, 3)


# -- a file of a picture ---------------------------------------------------------------------------


@pytest.mark.parametrize("quality", codec.QUALITIES)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 200), (8, 8), (33, 47), (128, 256)])
def test_a_picture_of_any_size_comes_back_like_itself(emoji, quality, height, width):
    picture = emoji[:height, :width]
    back = decompress(compress(picture, quality))
    assert back.dtype == np.uint8 and back.shape == picture.shape
    assert file_formats.pixel_error(picture, back) < 0.03


def test_what_is_decoded_is_what_the_network_makes_of_the_rounded_grid(emoji):
    model, *_ = trained_codec("high")
    with torch.no_grad():
        direct = model(codec.as_tensor(emoji)).clamp(-1, 1)
    assert (file_formats.mosaic(direct, 1) == decompress(compress(emoji))).all()


def test_the_qualities_are_of_rising_bytes_and_falling_error(emoji):
    files = [compress(emoji, quality) for quality in codec.QUALITIES]
    sizes, losses = [len(file) for file in files], [file_formats.pixel_error(emoji, decompress(file)) for file in files]
    assert list(sizes) == sorted(sizes) and list(losses) == sorted(losses, reverse=True)


@pytest.mark.parametrize("quality", codec.QUALITIES)
def test_the_loss_foretells_the_bytes_of_the_file(quality):
    picture = file_formats.mosaic(experiments.held_out_emoji(128))
    with torch.no_grad():
        parts = rate_distortion_loss(trained_codec(quality)[0], codec.as_tensor(picture), price=1.0)[1]
    foretold = parts["bits"].item() * picture[..., 0].size / 8
    assert len(compress(picture, quality)) == pytest.approx(foretold, rel=0.03)


def test_every_form_of_a_picture_gives_the_same_file(emoji):
    same = [emoji, Image.fromarray(emoji), torch.from_numpy(emoji), codec.as_tensor(emoji)[0],
            Image.fromarray(emoji).convert("RGBA")]
    assert len({compress(picture) for picture in same}) == 1
    grey = emoji[..., 0]
    assert compress(grey) == compress(np.stack([grey] * 3, 2)) == compress(Image.fromarray(grey))


@pytest.mark.parametrize(("picture", "match"), [
    (np.zeros((4, 4, 4), np.uint8), "a picture is"), (np.zeros((4, 4, 3)), "a picture is"),
    (np.zeros((4, 4), np.int64), "a picture is"), (torch.zeros(1, 3, 8, 8), "a picture is"),
    (np.zeros(5, np.uint8), "a picture is"), (Image.new("P", (6000, 8000)), "this has 8000 x 6000"),
    (np.zeros((0, 4, 3), np.uint8), "pixels"), (np.zeros((2048, 2049, 3), np.uint8), "pixels"),
    (np.zeros((1, 70_000, 3), np.uint8), "at most 65,535 a side"),
    ("my.jpg", "got a str"), (None, "got a NoneType"), (Image.new("I;16", (8, 8)), "mode I;16"),
    (Image.new("F", (8, 8)), "mode F"),
    (torch.full((3, 8, 8), 2.0), "in \\[-1, 1\\]"), (torch.full((3, 8, 8), torch.nan), "in \\[-1, 1\\]"),
])
def test_what_is_no_picture_is_refused(picture, match):
    with pytest.raises(ValueError, match=match):
        compress(picture)


def test_floats_from_0_to_1_are_refused_and_come_back_right_as_the_message_says():
    """Read on [-1, 1] they came back too bright: grey 64, which is 0.25, as 160."""
    grey = torch.full((3, 32, 32), 64 / 255)
    with pytest.raises(ValueError, match=r"pass 2 \* x - 1.* as uint8"):
        compress(grey)
    data = compress(2 * grey - 1)
    assert data == compress(np.full((32, 32, 3), 64, np.uint8))
    assert abs(decompress(data).mean() - 64) < 10


def test_an_unknown_quality_is_refused(emoji):
    with pytest.raises(ValueError, match="one of low, high, not 'best'"):
        compress(emoji, "best")


def test_every_damage_is_noticed(emoji):
    data = compress(emoji[:32, :32])
    for place in range(len(data)):
        with pytest.raises(FileError):
            decompress(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
        with pytest.raises(FileError):
            decompress(data[:place])
    with pytest.raises(FileError, match="checksum"):
        decompress(data + b"\0")


@pytest.mark.parametrize("data", [b"", bytes(9), b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_a_file_of_another_kind_is_told_so(data):
    with pytest.raises(FileError, match="no file of this course's codec"):
        decompress(data)


# -- the codec -------------------------------------------------------------------------------------


def test_the_inverse_normalisation_undoes_a_small_one():
    gdn, inverse = GDN(16), GDN(16, inverse=True)
    x = 1e-4 * torch.randn(2, 16, 4, 4)
    assert torch.allclose(inverse(gdn(x)), x, rtol=1e-3, atol=1e-8)
    by_hand = x[0, 3, 1, 2] / (gdn.beta[3] ** 2 + 1e-3 + (gdn.gamma[3] ** 2 * x[0, :, 1, 2].abs()).sum())
    assert gdn(x)[0, 3, 1, 2].item() == pytest.approx(by_hand.item())


def test_bits_are_those_of_the_integers_that_files_are_written_with():
    tables = Tables(3, reach=5)
    torch.nn.init.normal_(tables.root)
    symbols = torch.arange(-5.0, 6).expand(1, 3, 1, -1)
    shares = tables.integers() / tables.integers().sum(1, keepdims=True)
    assert np.allclose((-tables(symbols))[0, :, 0].exp2().detach(), shares, atol=1e-3)


def test_between_symbols_the_bits_are_of_a_density():
    """The histogram with noise of U(-1/2, 1/2) added, by the definition: its mass within 1/2."""
    tables = Tables(1, reach=3)
    torch.nn.init.normal_(tables.root)
    share = (tables.root[0] ** 2 / tables.root[0].square().sum()).detach()
    for y in (-2.83, -0.4, 0.0, 1.999):
        edges = torch.arange(7 * FINE + 1) / FINE - 3.5
        overlap = (edges[1:].clamp(max=y + 0.5) - edges[:-1].clamp(min=y - 0.5)).clamp(min=0) * FINE
        found = (-tables(torch.full((1, 1, 1, 1), y))).exp2().item()
        assert found == pytest.approx((share * overlap).sum().item(), rel=1e-3)


def test_tables_learn_how_often_symbols_come():
    tables, symbols = Tables(1, reach=2), torch.tensor([0.0, 0, 0, 0, 1, 1, -1, 2]).reshape(1, 1, 1, -1)
    optimizer = torch.optim.Adam(tables.parameters(), 0.1)
    for _ in range(150):
        loss = tables(symbols).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() == pytest.approx(1.75, abs=0.01), "the entropy of 1/2, 1/4, 1/8, 1/8"


def test_the_loss_is_its_parts_at_the_price():
    model, x = Codec(width=16, grid=8).eval(), torch.rand(2, 3, 16, 24) * 2 - 1
    loss, parts = rate_distortion_loss(model, x, price=0.01)
    y = model.encode(x).round()
    assert y.shape == (2, 8, 2, 3)
    assert parts["mse"].item() == pytest.approx(((model.decode(y) - x) / 2).square().mean().item())
    assert parts["bits"].item() == pytest.approx(model.tables(y).sum().item() / (2 * 16 * 24))
    assert loss.item() == pytest.approx(parts["mse"].item() + 0.01 * parts["bits"].item())


def test_training_noise_gives_the_analysis_a_gradient_that_rounding_has_not():
    model, x = Codec(width=16, grid=8), torch.rand(2, 3, 16, 16) * 2 - 1
    for training in (True, False):
        model.train(training).zero_grad()
        rate_distortion_loss(model, x, price=0.01)[0].backward()
        moved = model.analysis[1].weight.grad
        assert (moved is not None and moved.abs().sum() > 0) == training


def test_neighbours_far_away_do_not_change_a_code():
    model, x = Codec(width=16, grid=8), torch.rand(1, 3, 128, 128) * 2 - 1
    other = x.clone()
    other[..., 64:] = 0
    assert torch.equal(model.encode(x)[..., :6], model.encode(other)[..., :6])


@pytest.mark.parametrize("shape", [(1, 3, 12, 16), (1, 1, 16, 16), (3, 16, 16)])
def test_pictures_that_do_not_fit_are_refused(shape):
    with pytest.raises(ValueError, match="multiples of 8"):
        Codec(width=16, grid=8).encode(torch.zeros(shape))


# -- codes of d numbers, and formats ---------------------------------------------------------------


def test_a_vector_coder_writes_what_it_quantises():
    x, pca = scenes.make_scenes(300, seed=1)[0], PCA.fit(scenes.make_scenes(300, seed=0)[0], 6)
    coder = VectorCoder.fit(pca, pca.encode(x), bits=7)
    data = coder.compress(x)
    z = pca.encode(x)
    rounded = coder.quantiser.values(coder.quantiser.symbols(z))
    assert torch.equal(coder.decompress(data, 300), pca.decode(rounded).clamp(-1, 1))
    size, loss = coder.measure(x)
    assert size == len(data) / 300 < 6 * 7 / 8
    assert loss == pytest.approx(mse(x, pca.reconstruct(x).clamp(-1, 1)).mean().item(), rel=0.02)


class Identity:
    """Codes as pictures: what a coder adds is then seen alone."""

    def encode(self, x):
        return x

    decode = encode


def test_a_coder_of_the_writers_parts_reads_his_file_on_any_machine():
    quantiser = Quantiser(torch.tensor([-1.0, 0.0]), torch.tensor([0.25, 0.125]), 8)
    tables = frequencies(np.array([[8, 4, 2, 1, 1, 2, 4, 8], [1, 2, 3, 4, 5, 6, 7, 8]]))
    coder = VectorCoder(Identity(), quantiser, tables)
    codes = torch.tensor([[-0.875, 0.9375], [0.875, 0.0625], [0.125, 0.5625], [-0.375, 0.8125]])
    assert coder.compress(codes).hex() == "3b713335"
    assert torch.equal(coder.decompress(bytes.fromhex("3b713335"), 4), codes)


def test_a_reader_with_other_tables_reads_something_else():
    codes = torch.rand(300, 2, generator=torch.Generator().manual_seed(0))
    coder = VectorCoder.fit(Identity(), codes, bits=5)
    tables = coder.tables.copy()
    tables[0, :2] += 3, -3
    other = VectorCoder(Identity(), coder.quantiser, tables)
    assert not torch.allclose(other.decompress(coder.compress(codes), 300), codes, atol=0.1)


@pytest.mark.parametrize("options", [{}, {"bits": 4, "step": 1.0}])
def test_a_vector_coder_needs_one_of_bits_and_step(options):
    with pytest.raises(ValueError, match="either"):
        VectorCoder.fit(None, torch.rand(5, 2), **options)


def test_a_mosaic_has_each_picture_at_its_place():
    x = torch.linspace(-1, 1, 6)[:, None, None, None].expand(6, 3, 4, 4)
    found = file_formats.mosaic(x, 3)
    assert found.shape == (8, 12, 3) and (found[:4, :4] == 0).all()
    assert found[::4, ::4, 0].tolist() == [[0, 51, 102], [153, 204, 255]]
    assert torch.allclose(file_formats.pictures_of(found, 4), x, atol=1e-6)
    with pytest.raises(ValueError, match="rows of 4"):
        file_formats.mosaic(x, 4)


def test_files_are_read_again_and_measured():
    picture = file_formats.mosaic(scenes.make_scenes(16, NEW_SCENES_SEED)[0], 4)
    assert (file_formats.read_file(file_formats.file_bytes(picture, "PNG")) == picture).all()
    points = file_formats.rate_curve(picture, "JPEG", (5, 50))
    assert all(a[0] < b[0] and a[1] > b[1] for a, b in zip(points, points[1:], strict=False))
    image = Image.open(io.BytesIO(file_formats.file_bytes(picture, "WEBP", quality=5)))
    assert image.format == "WEBP" and image.size == (128, 128)
    black, grey = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 51, np.uint8)
    assert file_formats.pixel_error(black, grey) == pytest.approx(0.04)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_the_best_file_within_a_budget(kind):
    picture = file_formats.mosaic(scenes.make_scenes(16, NEW_SCENES_SEED)[0], 4)
    every = [file_formats.file_bytes(picture, kind, **setting, quality=q)
             for setting in file_formats.SETTINGS[kind] for q in range(0, 100, 9)]
    budget = sorted(map(len, every))[len(every) // 2]
    best = file_formats.best_within(picture, kind, budget)
    losses = [file_formats.pixel_error(picture, file_formats.read_file(file)) for file in every if len(file) <= budget]
    assert len(best) <= budget and file_formats.pixel_error(picture, file_formats.read_file(best)) <= min(losses)
    with pytest.raises(ValueError, match="100 bytes or fewer"):
        file_formats.best_within(picture, kind, 100)
    finest = [file_formats.file_bytes(picture, kind, **setting, quality=100) for setting in file_formats.SETTINGS[kind]]
    errors = [file_formats.pixel_error(picture, file_formats.read_file(file)) for file in finest]
    roomy = file_formats.best_within(picture, kind, 10**6)
    assert file_formats.pixel_error(picture, file_formats.read_file(roomy)) <= min(errors)
    for use in (file_formats.rate_curve, partial(file_formats.best_within, budget=9)):
        with pytest.raises(ValueError, match="one of JPEG, WEBP, AVIF; got 'PNG'"):
            use(picture, "PNG")


def test_only_what_nothing_beats_is_kept():
    points = [(3, 0.1), (1, 0.5), (2, 0.5), (3, 0.2), (9, 0.1), (4, 0.05)]
    assert file_formats.frontier(points) == [(1, 0.5), (3, 0.1), (4, 0.05)]


def test_between_two_points_bytes_are_on_a_line_of_logarithms():
    points = [(10, 0.1), (1000, 0.001)]
    assert file_formats.bytes_for(0.01, points) == pytest.approx(100)
    for target in (0.2, 0.0001):
        with pytest.raises(ValueError, match="not between"):
            file_formats.bytes_for(target, points)
    with pytest.raises(ValueError, match="no points"):
        file_formats.bytes_for(0.01, [])


# -- few pictures, many times ----------------------------------------------------------------------


def test_only_code_and_pictures_differ_in_the_grid():
    family = recipes.group("overfit")
    assert len(family) == len(experiments.OVERFIT_LATENTS) * len(experiments.OVERFIT_COUNTS)
    assert {(r.loss, r.lr, r.steps) for r in family} == {(experiments.watched_loss, family[0].lr, family[0].steps)}
    configs = {tuple(sorted((r.build().config | {"latent": 0}).items())) for r in family}
    assert len(configs) == 1


def test_a_batch_has_pictures_of_the_few_and_new_ones():
    few = experiments.training_scenes(200)
    seen, new = recipes.find("overfit-2-200").batches(100)(0)
    among = [(few == x).flatten(1).all(1).any().item() for x in (*seen[:8], *new)]
    assert among == [True] * 8 + [False] * experiments.WATCHED
    assert torch.equal(experiments.training_scenes(1000)[:200], few)


def test_the_pictures_that_are_watched_teach_nothing():
    net = recipes.find("overfit-2-200").build()
    x, new = torch.rand(2, 4, 3, 32, 32) * 2 - 1
    loss, parts = experiments.watched_loss(net, (x, new))
    assert parts["train"].item() == pytest.approx(loss.item() / 4)
    assert parts["test"].item() == pytest.approx(mse(new, net(new)).mean().item(), rel=1e-4)
    assert torch.autograd.grad(loss, net.decoder.picture.bias, retain_graph=True)[0].abs().sum() > 0
    assert not parts["test"].requires_grad


def test_random_draws_have_the_mean_and_covariance_of_the_codes():
    codes = torch.randn(4000, 3) @ torch.tensor([[0.2, 0.1, 0], [0, 0.1, 0], [0, 0, 0]])  # of rank two
    codes = codes + torch.tensor([0.1, -0.2, 0.3])
    drawn = experiments.gaussian_draws(Identity(), codes, 20_000)
    assert torch.allclose(drawn.mean(0), codes.mean(0), atol=0.01)
    assert torch.allclose(drawn.T.cov(), codes.T.cov(), atol=2e-3)
    assert torch.equal(drawn, experiments.gaussian_draws(Identity(), codes, 20_000)), "the same each time"


def test_a_batch_without_an_eighth_is_refused():
    with pytest.raises(ValueError, match="multiple of 8; got 4"):
        experiments.codec_batches(4)


@pytest.mark.parametrize("size", ["full", "gpu"])
def test_the_codec_learns_from_emoji_scenes_and_larger_emoji(size, monkeypatch):
    """Emoji of vertical stripes and scenes of +0.5: an eighth of a batch is scenes, an eighth stripes twice as wide."""
    stripes = torch.tensor([-1.0, 1.0]).repeat(16).expand(10, 3, 32, 32)
    monkeypatch.setattr(experiments.sets, "load_emoji", lambda split: SimpleNamespace(images=stripes))
    bright = torch.full((1, 3, 32, 32), 0.5)
    monkeypatch.setattr(experiments.scenes, "draw", lambda factors, generator: bright.expand(len(factors), -1, -1, -1))
    at = recipes.find("codec-high").at(size)
    x = at.batches(at.steps)(0)
    count = int(at.data.split()[-1])
    assert x.shape == (count, 3, 64, 64)
    scene = (x == 0.5).flatten(1).all(1)
    emoji = (x[..., 1:] == -x[..., :-1]).flatten(1).all(1)
    assert (scene.sum(), emoji.sum(), (~scene & ~emoji).sum()) == (count // 8, count * 6 // 8, count // 8)


# -- the exercises ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_code():
    x, _ = scenes.make_scenes(256, seed=3)
    model = load("autoencoder-scenes-4")[0]
    coder = VectorCoder.fit(model, in_batches(model.encode, scenes.make_scenes(1000, seed=0)[0]), bits=5)
    with torch.no_grad():
        return coder.quantiser.symbols(model.encode(x)), coder.compress(x)


def bits_of(symbols, log=torch.log2, rows=1):
    shares = [column.unique(return_counts=True)[1] / len(column) for column in symbols.T]
    return rows * sum(-(p * log(p)).sum().item() for p in shares)


@pytest.mark.parametrize(("answer", "verdict", "hint"), [
    (bits_of, "✓", ""),
    (lambda s: bits_of(s, torch.log), "✗", "in nats"),
    (lambda s: bits_of(s, rows=len(s)), "✗", "of all 20 rows"),
    (lambda s: bits_of(s.reshape(-1, 1)) * s.shape[1], "✗", "column"),
    (lambda s: bits_of(s) / s.shape[1], "✗", "add their bits"),
    (lambda s: bits_of(s @ s.new_tensor([1000**i for i in range(s.shape[1])])[:, None]), "✗", "add their bits"),
    (lambda s: s.shape[1] * math.log2(max(2, s.max() + 1)), "✗", ""),
    (lambda s: ..., "○", ""),
])
def test_bits_a_picture(answer, verdict, hint, real_code, capsys):
    exercises.bits_a_picture(*real_code).check(answer)
    printed = capsys.readouterr().out
    assert printed.startswith(verdict) and hint in printed, printed


POINTS = {(2, 8): (2, 0.0079), (4, 6): (2.5, 0.0033), (4, 8): (3.5, 0.0025), (8, 6): (4.6, 0.0021), (12, 8): (9, 0.001)}


def least(points, psnr):
    good = [key for key in points if -10 * math.log10(points[key][1]) >= psnr]
    return min(good, key=lambda key: points[key][0])


@pytest.mark.parametrize(("answer", "verdict", "hint"), [
    (least, "✓", ""),
    (lambda points, psnr: min(points, key=lambda k: points[k][0]), "✗", "expected"),
    (lambda points, psnr: min(k for k in points if -10 * math.log10(points[k][1]) >= psnr), "✗", "neither d nor"),
    (lambda points, psnr: min((math.prod(k), k) for k in points if -10 * math.log10(points[k][1]) >= psnr)[1], "✗",
     "neither d nor"),
    (lambda points, psnr: max(k for k in points if -10 * math.log10(points[k][1]) >= psnr), "✗", "fewest bytes"),
    (lambda points, psnr: max(points, key=lambda k: points[k][0]), "✗", "fewest bytes"),
    (lambda points, psnr: least(points, psnr - 2), "✗", "expected"),
    (lambda points, psnr: ..., "○", ""),
])
def test_smallest_file(answer, verdict, hint, capsys):
    exercises.smallest_file(POINTS).check(answer)
    printed = capsys.readouterr().out
    assert printed.startswith(verdict) and hint in printed, printed


def jpeg(pictures, quality, columns=16, scale=1, share=True):
    whole = file_formats.mosaic(pictures, columns)
    file = file_formats.file_bytes(whole, "JPEG", quality=quality)
    loss = file_formats.pixel_error(whole, file_formats.read_file(file))
    return len(file) / (len(pictures) if share else 1), scale * loss


def one_by_one(pictures, quality):
    found = [jpeg(x, quality, 1) for x in pictures.split(1)]
    return tuple(np.mean(found, 0))


@pytest.mark.parametrize(("answer", "verdict", "hint"), [
    (jpeg, "✓", ""),
    (lambda x, quality: jpeg(x, quality, 8), "✓", ""),
    (one_by_one, "✗", "header"),
    (lambda x, quality: jpeg(x, quality, share=False), "✗", "divide by the pictures"),
    (lambda x, quality: jpeg(x, quality, scale=4), "✗", "on [-1, 1]"),
    (lambda x, quality: (30.0, 0.003), "✗", "expected"),
    (lambda x, quality: ..., "○", ""),
])
def test_fair_jpeg(answer, verdict, hint, capsys):
    exercises.fair_jpeg(scenes.make_scenes(256, NEW_SCENES_SEED)[0]).check(answer)
    printed = capsys.readouterr().out
    assert printed.startswith(verdict) and hint in printed, printed


# -- the page's widgets ----------------------------------------------------------------------------


ALL = "CODES, BITS = experiments.VECTOR_LATENTS, experiments.VECTOR_BITS"


def test_every_knob_changes_the_picture_and_not_its_shape():
    few = "CODES, BITS = (4, 12, 32, 128), (2, 3, 4, 6, 8)"
    names, sweeps = play("05_image_compression.ipynb", edit=lambda source: source.replace(ALL, few))
    assert set(names["points"]) == set(itertools.product((4, 12, 32, 128), (2, 3, 4, 6, 8)))
    assert len(sweeps) == 2
    for sweep in sweeps:
        check_knobs(sweep)
