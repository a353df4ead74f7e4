"""The shipped emoji: names, pictures by four hands, and held-out sets that hold no look-alike of what is seen."""

import csv
import hashlib
import itertools
import random
import re
import shutil
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from helpers import DATA
from helpers.data.emoji import HANDS, HELD_OUT_BY, EmojiSet, drawn_by_all, load_emoji, to_range
from helpers.lessons.start_here import experiments

EMOJI = DATA / "emoji"
NEAR, SAME_TONE = 0.25, 0.1  # of the ink
TONES = set("🏻🏼🏽🏾🏿")


@pytest.fixture(scope="module")
def emoji():
    return load_emoji("all")


@pytest.fixture(scope="module")
def rows():
    with open(EMOJI / "emoji.tsv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture
def build(monkeypatch):
    """The modules of data/emoji that build the set; the test is skipped where a package of the builder's is missing."""
    for package in ("emoji", "fontTools", "resvg_py"):
        pytest.importorskip(package, reason="pip install -e .[build] is needed only to build the set")
    monkeypatch.syspath_prepend(str(EMOJI))
    import build

    yield build
    for name in ("build", "noto", "packages", "splits", "lookalikes"):
        sys.modules.pop(name, None)


def test_the_set(emoji):
    assert emoji.images.shape == (3788, 3, 32, 32) and emoji.images.dtype == torch.float32
    assert emoji.images.min() == -1 and emoji.images.max() == 1
    assert {len(field) for field in emoji} == {3788} and set(emoji.hand) == {"noto"}
    assert len(set(emoji.categories)) == 9 and len(set(emoji.families)) == 1505


def test_what_the_pages_rest_on_is_as_it_was():
    """Noto's sheet to the byte, and the split by family."""
    found = hashlib.sha256((EMOJI / "noto.webp").read_bytes()).hexdigest()
    assert found == "4fe9ab4e10fa94014f6900fdacbad14215bf0f9b7152785bbe068c1564f085bd"
    names = "\n".join(load_emoji("test").names_en)
    assert hashlib.sha256(names.encode()).hexdigest()[:16] == "292ebbb27ef80d40"


def test_four_hands(rows):
    everything = load_emoji("all", HANDS, dtype=torch.uint8)
    count = {hand: everything.hand.count(hand) for hand in HANDS}
    assert count == {"noto": 3788, "twemoji": 3655, "openmoji": 3788, "fluent": 3139}
    assert everything.images.shape == (14370, 3, 32, 32) and {len(field) for field in everything} == {14370}
    assert all(len(row["by_family"]) == 4 and row["by_family"][0] != "-" for row in rows)
    one = load_emoji("all", ["fluent"])  # the same pictures, alone and as floats
    assert torch.equal(one.images, to_range(everything.images[-3139:])) and one.names_ko == everything.names_ko[-3139:]


def test_a_hand_draws_each_emoji_as_large_as_noto_does():
    """On average, and OpenMoji a tenth smaller. And an apple is red in all of them, a pear green."""
    everything = load_emoji("all", HANDS)
    ink = (1 - everything.images).amax(1) > 0.3  # (N, 32, 32)
    side = torch.maximum(ink.any(1).sum(1), ink.any(2).sum(1)).float()
    mean = {hand: side[[h == hand for h in everything.hand]].mean() for hand in HANDS}
    assert all(0.9 < mean[hand] / mean["noto"] < 1.05 for hand in HANDS), mean
    for name, channel in (("red apple", 0), ("pear", 1)):
        same = [i for i, known in enumerate(everything.names_en) if known == name]
        middle = everything.images[same][:, :, 12:24, 8:24].mean((2, 3))
        assert len(same) == 4 and (middle.argmax(1) == channel).sum() >= 3, (name, middle)


def test_a_64_pixel_picture_is_the_32_pixel_one_in_finer_detail():
    small, large = (load_emoji("test", ["fluent"], side=side) for side in (32, 64))
    assert large.images.shape[2:] == (64, 64) and small.names_en == large.names_en
    error = (F.interpolate(large.images, scale_factor=0.5, mode="area") - small.images).abs().mean((1, 2, 3))
    assert error.max() < 0.06, error.max()
    with pytest.raises(ValueError, match="'noto', 64"):
        load_emoji("test", side=64)


def test_names(emoji):
    assert len(set(emoji.names_en)) == len(set(emoji.names_ko)) == 3788
    for name in emoji.names_en + emoji.names_ko:
        assert name == unicodedata.normalize("NFC", name).strip() and not re.search("[_:\t]", name)
    assert {name for name in emoji.names_ko if not re.search("[가-힣]", name)} == {"atm", "dna"}
    korean = dict(zip(emoji.names_en, emoji.names_ko, strict=True))
    assert korean["red apple"] == "빨간 사과" and korean["flag South Korea"] == "깃발 대한민국"


def test_pictures_belong_to_their_names(emoji):
    for channel, colour in enumerate(("red", "green", "blue")):
        middle = emoji.images[emoji.names_en.index(f"{colour} square")][:, 8:24, 8:24].mean((1, 2))
        assert middle.argmax() == channel, colour


@pytest.mark.parametrize("hand", ["noto", "twemoji", "openmoji"])  # Fluent has no flags of countries
def test_pictures_stand_upright(hand):
    """Poland's flag is white above red, France's blue, white, red from left to right."""
    emoji = load_emoji("all", [hand])
    poland, france = (emoji.images[emoji.names_en.index(f"flag {name}")] for name in ("Poland", "France"))
    assert poland[1, 9:14, 12:20].mean() > poland[1, 18:22, 12:20].mean() + 0.5
    assert france[2, 14:18, 4:8].mean() > france[2, 14:18, 24:28].mean() + 0.3


def test_splits(emoji):
    train, test = load_emoji("train"), load_emoji("test")
    assert (len(train.names_en), len(test.names_en)) == (3462, 326)
    assert set(train.names_en) | set(test.names_en) == set(emoji.names_en)
    assert not set(train.families) & set(test.families)
    assert set(test.categories) == set(train.categories) == set(emoji.categories)
    for part in (train, test):
        i = len(part.names_en) // 2
        assert torch.equal(part.images[i], emoji.images[emoji.names_en.index(part.names_en[i])])
def pictures(split, by, hands=HANDS):
    """{(name, hand): family} of a split."""
    emoji = load_emoji(split, hands, by, dtype=torch.uint8)
    return dict(zip(zip(emoji.names_en, emoji.hand, strict=True), emoji.families, strict=True))


@pytest.mark.parametrize(("by", "train", "test"), [
    ("family", 13090, 1202), ("hand", 13660, 686), ("tone", 13966, 366), (HELD_OUT_BY, 11976, 2254),
])
def test_sizes_of_the_splits(by, train, test):
    assert (len(pictures("train", by)), len(pictures("test", by))) == (train, test)
    readme = (EMOJI / "README.md").read_text("utf-8")
    assert f"{train:,}" in readme and f"{test:,}" in readme


def test_by_family_no_hand_shows_a_held_out_family():
    assert not {*pictures("train", "family").values()} & {*pictures("test", "family").values()}


def test_by_hand_an_emoji_is_held_out_in_one_hand_and_seen_in_others():
    train, test = pictures("train", "hand"), pictures("test", "hand")
    seen = {(family, hand) for (_, hand), family in train.items()}
    assert not seen & {(family, hand) for (_, hand), family in test.items()}
    names = {name for name, _ in train}
    assert all(name in names for name, _ in test) and {hand for _, hand in test} == set(HANDS)


def test_by_tone_a_family_is_seen_in_other_tones(rows):
    tones = {row["name_en"]: TONES & set(row["emoji"]) for row in rows}
    train, test = pictures("train", "tone"), pictures("test", "tone")
    seen, hidden = ({(family, tone) for (name, _), family in part.items() for tone in tones[name]}
                    for part in (train, test))
    alone = {}  # family: the tone that all of its held-out pictures share
    for (name, _), family in test.items():
        alone[family] = alone.get(family, TONES) & tones[name]
    assert all(len(shared) == 1 for shared in alone.values()) and len({*alone}) > 20
    for family, (tone,) in alone.items():
        assert (family, tone) not in seen and len([t for f, t in seen if f == family]) == 4
    assert {tone for _, tone in hidden} == TONES


def test_what_is_seen_in_every_split_is_in_none_of_the_tests():
    together = pictures("train", HELD_OUT_BY)
    tests = [pictures("test", by) for by in HELD_OUT_BY]
    assert all(not test.keys() & together.keys() for test in tests)
    assert sum(map(len, tests)) == len(pictures("test", HELD_OUT_BY))  # no picture is held out twice
    assert all(together.keys() <= pictures("train", by).keys() for by in HELD_OUT_BY)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"split": "valid"}, "split 'valid' is not one of 'train', 'test', 'all'"), ({"hands": ["apple"]}, "hand 'apple'"),
    ({"by": "shape"}, "'shape'"), ({"dtype": torch.float16}, "float16"), ({"hands": "noto"}, "hand 'n'"),
])
def test_what_is_not_there_is_said(arguments, message):
    with pytest.raises(ValueError, match=message):
        load_emoji(**arguments)


def test_no_variant_of_a_training_emoji_is_held_out(rows):
    variants = "EMOJI MODIFIER|EMOJI COMPONENT|(FE)?MALE SIGN|ZERO WIDTH JOINER|VARIATION SELECTOR"

    def plain(text):
        text = re.sub("(?<=.)\u200d➡\ufe0f?$", "", text)  # facing right
        names = [unicodedata.name(c, repr(c)) for c in text]
        names = [re.sub("^(WOMAN|MAN|ADULT)$", "PERSON", name) for name in names]
        return tuple(name for name in names if not re.match(variants, name)) or text

    split_of = {}
    for row in rows:
        assert split_of.setdefault(plain(row["emoji"]), row["by_family"][0]) == row["by_family"][0], row["name_en"]
    assert len(split_of) < 1800  # the variants did fall together


def nearest(test, train, limits):
    """For each picture of `test` its distance to the nearest of `train` in parts of the fainter's ink, or inf.

    test (N, 3, 32, 32), train (M, ...) -> (N,). Over mirrors and quarter turns; pairs farther apart than `limits`
    (N, M) are not looked at. Means of 4x4 pixels are never farther apart than the pixels are, so they are compared
    first, which takes a hundredth of the time.
    """
    x, y = ((1 - images) / 2 for images in (test, train))  # ink: white is zero
    small_x, small_y = (4 * F.avg_pool2d(images, 4) for images in (x, y))
    ink = torch.minimum(x.flatten(1).square().sum(1)[:, None], y.flatten(1).square().sum(1))
    found = torch.full((len(x),), torch.inf)
    for turns, flip in itertools.product(range(4), [(), (3,)]):
        a, b = small_x.flatten(1), small_y.rot90(turns, (2, 3)).flip(flip).flatten(1)
        squared = a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T
        for pairs in (squared < limits.square() * ink + 1e-3).nonzero().split(2000):
            i, j = pairs.T
            error = (x[i] - y[j].rot90(turns, (2, 3)).flip(flip)).flatten(1).square().sum(1)
            distance = (error / ink[i, j]).sqrt()
            found.scatter_reduce_(0, i, torch.where(distance < limits[i, j], distance, torch.inf), "amin")
    return found


def same_family(test, train):
    """(N, M): whether two pictures are of one family."""
    number = {family: i for i, family in enumerate(sorted({*test.families, *train.families}))}
    a, b = (torch.tensor([number[family] for family in part.families]) for part in (test, train))
    return a[:, None] == b


@pytest.mark.parametrize("by", HELD_OUT_BY)
def test_no_lookalike_of_a_seen_picture_is_held_out(by):
    """Not in the same hand, not in another, not turned or mirrored, and not to the byte."""
    test, train = (load_emoji(split, HANDS, by) for split in ("test", "train"))
    limits = torch.full((len(test.images), len(train.images)), NEAR)
    if by == "tone":  # other tones of one person differ in the skin alone, which has to show
        limits[same_family(test, train)] = SAME_TONE
    assert nearest(test.images, train.images, limits).isinf().all()
    seen = {picture.numpy().tobytes() for picture in train.images}
    assert not any(picture.numpy().tobytes() in seen for picture in test.images)


def test_a_lookalike_would_be_found():
    """What was left out is near to what is seen; and so is a training picture, turned, with a little noise."""
    everything, test, train = (load_emoji(split, HANDS) for split in ("all", "test", "train"))
    kept = {*zip(test.names_en, test.hand, strict=True), *zip(train.names_en, train.hand, strict=True)}
    left_out = [i for i, key in enumerate(zip(everything.names_en, everything.hand, strict=True)) if key not in kept]
    images = everything.images[left_out]
    limits = torch.full((len(left_out), len(train.images)), NEAR)
    assert len(left_out) == 78 and nearest(images, train.images, limits).isfinite().all()
    turned = (train.images[::500].rot90(1, (2, 3)) + 0.01 * torch.randn(27, 3, 32, 32)).clamp(-1, 1)
    assert nearest(turned, train.images, limits[:27]).isfinite().all()


def test_noto_alone_is_as_far_from_what_is_seen_as_the_readme_says():
    test, train = load_emoji("test"), load_emoji("train")
    found = nearest(test.images, train.images, torch.full((len(test.images), len(train.images)), 0.53))
    assert found.min() >= NEAR and round(float(found.median()), 2) == 0.52


def test_the_same_emoji_by_all_hands(rows):
    same = drawn_by_all()
    names = load_emoji("test").names_en
    assert {hand: tuple(x.shape) for hand, x in same.items()} == dict.fromkeys(HANDS, (264, 3, 32, 32))
    held_out = [row for row in rows if row["name_en"] in names and set(row["by_family"]) == {"h"}]
    for hand, x in same.items():
        everything = load_emoji("all", [hand])
        for i in range(0, 264, 50):
            place = everything.names_en.index(held_out[i]["name_en"])
            assert torch.equal(x[i], everything.images[place]), (hand, i)


def test_the_nearest_seen_picture():
    generator = torch.Generator().manual_seed(0)
    seen = torch.randint(256, (50, 3, 8, 8), generator=generator, dtype=torch.uint8)
    x = to_range(torch.randint(256, (7, 3, 8, 8), generator=generator, dtype=torch.uint8))
    x[3] = to_range(seen[41]) + 0.2  # 0.1 on [0, 1]
    error, index = experiments.nearest_seen(x, seen, size=20)
    brute = ((x[:, None] - to_range(seen)) / 2).square().flatten(2).mean(2).sqrt()
    assert torch.allclose(error, brute.min(1).values, atol=1e-4) and torch.equal(index, brute.argmin(1))
    assert index[3] == 41 and abs(error[3] - 0.1) < 1e-3


def test_the_shares_of_categories_that_are_named(monkeypatch):
    """A network that says the commonest of two kinds: right for 3 of 4 pictures, for half of the kinds."""
    names, categories = ["a"] * 4, ["Flags", "Flags", "Symbols", "Flags"]
    emoji = EmojiSet(torch.zeros(4, 3, 32, 32), names, names, categories, names, names)
    monkeypatch.setattr(experiments, "load_emoji", lambda *arguments: emoji)
    found = experiments.category_accuracy(lambda x: torch.tensor([[1.0, 0.0]]).expand(len(x), 2))
    assert found == {"accuracy": 0.75, "mean_over_categories": 0.5}


def test_the_network_of_categories_learns_from_what_no_split_holds_out():
    seen = load_emoji("train", experiments.TAUGHT, HELD_OUT_BY)
    assert "openmoji" not in seen.hand
    torch.manual_seed(0)
    x, labels = experiments.category_batches()(0)
    assert x.shape == (64, 3, 32, 32) and x.min() >= -1 and x.max() <= 1
    names = sorted(set(seen.categories))
    sums = [round(image.sum().item()) for image in seen.images]  # mirrored or shifted, a picture keeps its sum
    known = {*zip(sums, seen.categories, strict=True)}
    pairs = {(round(image.sum().item()), names[label]) for image, label in zip(x, labels, strict=True)}
    assert len(pairs & known) > 32  # a label is its picture's; a shift may push an edge out


def test_pictures_are_moved_and_stay_whole():
    x = torch.ones(2, 3, 32, 32)
    x[:, :, 10:20, 12:22] = -1
    torch.manual_seed(1)
    places = set()
    for _ in range(60):
        y = experiments.moved(x)
        assert y.shape == x.shape and y.sum() == x.sum()
        places.add(tuple((y[0, 0] < 0).nonzero()[0].tolist()))
    assert {row for row, _ in places} == set(range(8, 13)) and {column for _, column in places} == set(range(10, 15))


def test_pictures_are_whole_and_centred():
    everything = load_emoji("all", HANDS)
    ink = (1 - everything.images).amax(1) / 2  # (N, 32, 32), 0 white to 1
    assert (ink.flatten(1).amax(1) > 0.1).all()  # none is empty
    edges = torch.cat([ink[:, 0], ink[:, -1], ink[:, :, 0], ink[:, :, -1]], 1)
    assert edges.max() < 0.15  # nothing is cut off: the outermost ring is white, but for a trace of smoothing
    for axis in (1, 2):
        on = (ink > 0.02).any(axis)
        first, last = on.float().argmax(1), 31 - on.flip(1).float().argmax(1)
        offset = ((first + last) / 2 - 15.5).abs()
        assert offset.max() <= 2 and offset.mean() < 0.3


def test_files_are_small_and_load_at_once():
    sizes = [path.stat().st_size for path in EMOJI.glob("*.webp")]
    assert len(sizes) == 5 and max(sizes) < 5e6

    def seconds(*arguments, **options):
        start = time.process_time()
        load_emoji("all", *arguments, **options)
        return time.process_time() - start

    assert min(seconds() for _ in range(3)) < 0.5
    assert min(seconds(HANDS, dtype=torch.uint8) for _ in range(3)) < 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system does not tell the peak")
@pytest.mark.parametrize(("dtype", "limit"), [("uint8", 110), ("float32", 260)])
def test_all_hands_take_little_memory(dtype, limit):
    """In MB, the peak above what is there before: the pictures are 44 MB of bytes, 177 MB of floats."""
    code = ("import resource, torch\nfrom helpers.data.emoji import HANDS, load_emoji\nload_emoji('test')\n"
            "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\nbefore = peak()\n"
            f"load_emoji('all', HANDS, dtype=torch.{dtype})\nprint(peak() - before)")
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=EMOJI.parents[1])
    assert float(done.stdout) < limit


def test_the_build_script_draws_noto_again(build, emoji, rows):
    from PIL import ImageFont, features

    noto = sys.modules["noto"]
    if not Path(noto.FONT).exists() or not features.check("raqm"):
        pytest.skip("Debian's fonts-noto-color-emoji or Pillow's raqm is missing")
    font = ImageFont.truetype(noto.FONT, noto.NATIVE, layout_engine=ImageFont.Layout.RAQM)
    for i in random.Random(0).sample(range(len(rows)), 60):
        drawn = torch.tensor(noto.draw(rows[i]["emoji"], font)).permute(2, 0, 1)
        assert torch.equal(drawn, ((emoji.images[i] + 1) * 127.5).round().byte()), rows[i]["name_en"]


@pytest.mark.parametrize("hand", HANDS[1:])
def test_the_build_script_draws_the_other_hands_again(build, hand, rows, tmp_path):
    """Needs a registry of npm, which the tests' own process may not ask: npm is another."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    packages = sys.modules["packages"]
    try:
        archive = packages.fetch(packages.PACKAGES[hand], tmp_path)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"npm could not fetch the package: {error.stderr[-200:]}")
    known = {row["name_en"]: row["emoji"] for row in rows}
    shipped = load_emoji("all", [hand], dtype=torch.uint8)
    some = random.Random(0).sample(range(len(shipped.names_en)), 20)
    drawings = packages.drawings_of(hand, archive)
    for i in some:
        svg = drawings[packages.code_points(known[shipped.names_en[i]])]
        drawn = torch.tensor(packages.render(svg, packages.PACKAGES[hand], 32)).permute(2, 0, 1)
        assert torch.equal(drawn, shipped.images[i]), shipped.names_en[i]


def test_a_package_with_another_checksum_is_refused(build, tmp_path, monkeypatch):
    packages = sys.modules["packages"]
    (tmp_path / "openmoji.tgz").write_bytes(b"another")
    done = subprocess.CompletedProcess([], 0, stdout="openmoji.tgz\n")
    monkeypatch.setattr(packages.subprocess, "run", lambda *_, **__: done)
    with pytest.raises(ValueError, match="has SHA-512"):
        packages.fetch(packages.PACKAGES["openmoji"], tmp_path)


def test_the_choice_of_what_is_held_out_is_in_the_table(monkeypatch, rows):
    monkeypatch.syspath_prepend(str(EMOJI))
    import splits

    drawn = {(i, k) for i, row in enumerate(rows) for k, letter in enumerate(row["by_family"]) if letter != "-"}
    for name, test in splits.held_out(rows, drawn).items():
        assert test == {(i, k) for i, row in enumerate(rows) for k, letter in enumerate(row[name]) if letter in "hx"}
    assert splits.HANDS == HANDS and (splits.NEAR, splits.SAME_TONE) == (NEAR, SAME_TONE)
    for name in ("splits", "lookalikes"):
        sys.modules.pop(name)


def test_licences_and_readme():
    marks = {"noto": ("SIL OPEN FONT LICENSE", "Google"), "twemoji": ("Attribution 4.0 International", "Twitter"),
             "openmoji": ("Attribution-ShareAlike 4.0 International", "HfG"), "fluent": ("MIT License", "Microsoft"),
             "emoji": ("Unicode, Inc.",)}
    for name, texts in marks.items():
        licence = (EMOJI / f"{name}.LICENSE").read_text("utf-8")
        assert all(text in licence for text in texts) and (name == "emoji" or f"{name}.webp" in licence)
    readme = (EMOJI / "README.md").read_text("utf-8")
    assert all(count in readme for count in ("3,788", "3,655", "3,139", "3,462", "326", "1,505", "151", "24"))
