"""Figures of architectures: valid SVG with a text, words in their boxes, arrows at borders, known colours."""

import base64
import io
import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from matplotlib.ft2font import FT2Font
from PIL import Image

from helpers.data import scenes
from helpers.data.batches import in_batches
from helpers.lessons.autoencoder.drawings import autoencoder_layers
from helpers.lessons.denoising.drawings import unet_layers
from helpers.lessons.diffusion.drawings import timed_unet
from helpers.lessons.image_compression.drawings import there_and_back
from helpers.lessons.inpainting.drawings import inpainting_unet, masked_autoencoder
from helpers.lessons.inpainting.experiments import fill, new_scenes_with_holes, new_scenes_with_patches
from helpers.lessons.mlp.drawings import dense_autoencoder
from helpers.lessons.seq2seq_attention.drawings import attention_step, encoder_decoder
from helpers.lessons.stable_diffusion.drawings import assembled
from helpers.lessons.stable_diffusion.experiments import shipped_in_latents
from helpers.lessons.start_here.drawings import course_threads
from helpers.lessons.text_conditioned_diffusion.drawings import text_enters
from helpers.lessons.text_conditioned_diffusion.experiments import shipped_system
from helpers.lessons.vae.drawings import cloud_of_codes
from helpers.show import diagrams
from helpers.show.diagrams import elements, layout, marks
from helpers.show.figures import PALETTE
from helpers.show.raster import INK, SOFT, course_fonts, to_uint8
from helpers.systems.codec import VectorCoder
from helpers.training.checkpoints import load

SVG = "{http://www.w3.org/2000/svg}"
SENTENCE = "흰 배경의 오른쪽 위에 작은 초록색 사각형이 있다"
STAR = scenes.draw(torch.tensor([[3, 2, 1, 1, 1, 1]]))


def drawn(name):
    """A page's figure, with the shipped weights."""
    return load(name)[0]


def codec():
    net, training = drawn("autoencoder-scenes-4"), scenes.make_scenes(200, seed=0)[0]
    return there_and_back(VectorCoder.fit(net, in_batches(net.encode, training), bits=6), STAR)


def mae():
    x, _, mask = new_scenes_with_patches(n=1)
    return masked_autoencoder(drawn("mae-scenes"), x, mask)


def inpainter(draw):
    """What `draw` makes of the inpainting network, a scene and its hole."""
    x, _, mask = new_scenes_with_holes(n=1)
    return draw(drawn("inpaint-scenes-unet"), x, mask)


FIGURES = {
    "course": course_threads,
    "encoder and decoder": lambda: encoder_decoder(drawn("seq2seq-fixed-48-900"), SENTENCE),
    "attention": lambda: attention_step(drawn("seq2seq-scaled-48-900"), SENTENCE, 2),
    "autoencoder": lambda: autoencoder_layers(drawn("autoencoder-scenes-8"), STAR),
    "mlp": lambda: dense_autoencoder(drawn("dense-scenes"), STAR),
    "codec": codec,
    "unet": lambda: unet_layers(drawn("dae-scenes-unet"), STAR),
    "timed unet": lambda: timed_unet(drawn("diffusion-scenes"), STAR, 600),
    "inpainting unet": lambda: inpainter(inpainting_unet),
    "prompt": lambda: text_enters(shipped_system(), "a big red circle", STAR, 600),
    "latent": lambda: assembled(shipped_in_latents(), "a big red circle", STAR),
    "mae": mae,
    "vae": lambda: cloud_of_codes(drawn("vae-scenes-2-beta-10"), scenes.make_scenes(20, seed=5)[0]),
}


@pytest.fixture(scope="module", params=FIGURES)
def figure(request):
    return FIGURES[request.param]()


def small(*links, text="encoder"):
    """A figure of a box and a vector, and links between them."""
    box, code = diagrams.operation(text), diagrams.vector([1.0, -1.0, 0.5], "code z")
    root = diagrams.row(box, diagrams.arrow("in three steps"), code)
    return layout.Diagram(root, *(link(box, code) for link in links), title="T", description="A box and a code.")


# -- what is checked -------------------------------------------------------------------------------


def colours(svg):
    return set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) - {"none"}


def known(colour):
    """Is a colour neutral, or one of the palette mixed with white?"""
    rgb = np.frombuffer(bytes.fromhex(colour[1:]), np.uint8).astype(float)
    if colour in (INK, SOFT, marks.GROUND, "#000000", "#ffffff"):
        return True
    for name in set(marks.QUANTITIES.values()):
        full = np.frombuffer(bytes.fromhex(PALETTE[name][1:]), np.uint8).astype(float)
        share = ((255 - rgb) @ (255 - full)) / ((255 - full) @ (255 - full))
        if np.abs(255 + (full - 255) * share - rgb).max() <= 1:
            return True
    return False


def meets_border(element, point):
    """Does a point lie on the border of an element's body, or under its label, but for the gap of an arrow?"""
    x, y = point
    left, top, right, bottom = element.body()
    under = bottom + elements.LABEL * len(element.label)
    upright = min(abs(x - left), abs(x - right)) <= 3 and top - 3 <= y <= bottom + 3
    return upright or min(abs(y - top), abs(y - under)) <= 3 and left - 3 <= x <= right + 3


def loose_ends(diagram):
    """The ends of arrows, as drawn, that lie at no border of an element."""
    things = [e for e in diagram.root.elements() if not isinstance(e, elements.Arrow)]
    ends = [tuple(map(float, found.split())) for found in re.findall(r'data-ends="([^"]*)"', diagram._repr_svg_())]
    return [end for x0, y0, x1, y1 in ends for end in ((x0, y0), (x1, y1))
            if not any(meets_border(thing, end) for thing in things)]


def word_frames(svg):
    """(text, left, top, right, bottom) of each line of words, from the outlines as they are placed."""
    root = ElementTree.fromstring(svg)
    paths = {path.get("id"): path.get("d") for path in root.iter(f"{SVG}path") if path.get("id")}
    found = []
    for group in root.iter(f"{SVG}g"):
        if group.get("class") != "words":
            continue
        x, y = map(float, re.search(r"translate\((\S+) (\S+)\)", group.get("transform")).groups())
        corners = []
        for use in group:
            dx, dy, scale = map(float, re.search(r"translate\((\S+) (\S+)\) scale\((\S+)\)",
                                                 use.get("transform")).groups())
            points = np.array(re.findall(r"(-?\d+) (-?\d+)", paths[use.get("href")[1:]]), float).reshape(-1, 2) * scale
            corners += [points + (x + dx, y + dy)] if len(points) else []
        every = np.concatenate(corners)
        found.append((group.get("aria-label"), *every.min(0), *every.max(0)))
    return found


def rectangles(svg):
    return [[float(rect.get(key)) for key in ("x", "y", "width", "height")]
            for rect in ElementTree.fromstring(svg).iter(f"{SVG}rect")]


def overflowing(svg):
    """Words that cross the border of a rectangle or leave the figure."""
    whole, *boxes = rectangles(svg)
    bad = []
    for text, left, top, right, bottom in word_frames(svg):
        x, y, wide, high = whole
        if left < x or top < y or right > x + wide or bottom > y + high:
            bad.append(text)
        for x, y, wide, high in boxes:
            apart = right <= x or left >= x + wide or bottom <= y or top >= y + high
            inside = left >= x and right <= x + wide and top >= y and bottom <= y + high
            if not apart and not inside:
                bad.append(text)
    return bad


def colliding(svg):
    """Pairs of words that overlap."""
    def apart(a, b):
        return a[3] <= b[1] or b[3] <= a[1] or a[4] <= b[2] or b[4] <= a[2]

    return [(a[0], b[0]) for a, b in itertools.combinations(word_frames(svg), 2) if not apart(a, b)]


# -- every figure of the course --------------------------------------------------------------------


def test_a_figure_says_what_it_shows(figure):
    root = ElementTree.fromstring(figure._repr_svg_())
    assert root.get("role") == "img" and root.get("aria-label") == root.find(f"{SVG}title").text == figure.title
    assert root.find(f"{SVG}desc").text == figure.description and len(figure.description) > 60
    bundle = figure._repr_mimebundle_()
    assert bundle["text/plain"] == f"{figure.title}: {figure.description}"
    image = ElementTree.fromstring(bundle["text/html"].replace("auto\">", "auto\"/>"))
    assert image.get("alt") == bundle["text/plain"]
    assert base64.b64decode(image.get("src").split(",")[1]).decode() == figure._repr_svg_()


def test_a_figure_holds_all_it_needs(figure):
    svg = figure._repr_svg_()
    assert all(found.startswith(("#letter-", "data:image/png;base64,")) for found in re.findall(r'href="([^"]*)"', svg))
    used, defined = set(re.findall(r'href="#([^"]*)"', svg)), re.findall(r'id="([^"]*)"', svg)
    assert used == set(defined) and len(defined) == len(set(defined))
    assert figure.width <= layout.WIDEST and len(svg) < 120_000


def test_words_stay_in_their_boxes_and_apart(figure):
    svg = figure._repr_svg_()
    assert not overflowing(svg) and not colliding(svg)


def test_arrows_end_at_borders(figure):
    assert not loose_ends(figure)


def test_colours_are_those_of_quantities(figure):
    assert not [colour for colour in colours(figure._repr_svg_()) if not known(colour)]


def pictures_in(svg):
    """The rasters of a figure, uint8 (H, W, channels)."""
    found = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", svg)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")) for data in found]


def mae_drawing():
    x, _, mask = new_scenes_with_patches(n=1)
    return drawn("mae-scenes")(x, mask)


OUTPUTS = {
    "autoencoder": lambda: drawn("autoencoder-scenes-8")(STAR),
    "mlp": lambda: drawn("dense-scenes")(STAR),
    "unet": lambda: drawn("dae-scenes-unet")(STAR),
    "inpainting unet": lambda: inpainter(lambda net, x, mask: net(x, mask)),
    "inpainting unet, filled": lambda: inpainter(fill),
    "mae": mae_drawing,
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_figure_shows_what_the_network_itself_draws(name):
    """A figure goes through a network's layers by itself, to show what is between them: it may not leave one out."""
    with torch.no_grad():
        expected = to_uint8(OUTPUTS[name]().clamp(-1, 1))[0].astype(int)
    figure = FIGURES[name.split(",")[0]]()
    shown = [picture for picture in pictures_in(figure._repr_svg_()) if picture.shape == expected.shape]
    assert min(np.abs(picture - expected).max() for picture in shown) <= 1


# -- the checks see what is wrong ------------------------------------------------------------------


def test_a_wrong_figure_is_seen(monkeypatch):
    right = small()
    svg = right._repr_svg_()
    assert not overflowing(svg) and not colliding(svg) and not loose_ends(right) and all(map(known, colours(svg)))
    assert not known("#ff0000") and not known("#c0ffee") and known(marks.tint("code", 0.4))

    with monkeypatch.context() as wrong:  # words measured too narrow
        wrong.setattr(diagrams.parts, "line_width", lambda text, size: 10.0)
        assert overflowing(small()._repr_svg_()) == ["encoder"]
    with monkeypatch.context() as wrong:  # an arrow that starts at the middle of a box
        wrong.setattr(elements.Element, "side", lambda self, name: (self.x, self.y))
        assert len(loose_ends(small())) == 2
    with monkeypatch.context() as wrong:  # no room between elements
        wrong.setattr(elements.Arrow, "reach", lambda self: (self.x, self.y, self.x, self.y))
        assert overflowing(small()._repr_svg_())
    with monkeypatch.context() as wrong:
        wrong.setattr(diagrams.parts, "LABEL", 5)  # lines too close
        assert colliding(layout.Diagram(diagrams.note("one\ntwo"), title="", description="")._repr_svg_())


# -- parts -----------------------------------------------------------------------------------------


def test_words_are_as_wide_as_the_fonts_advances():
    font = FT2Font(str(course_fonts()[0]))
    font.set_size(1000, 72)
    for text in ("encoder", "흰 배경", "z = μ + σ"):
        wanted = sum(font.load_char(ord(letter), flags=marks.LoadFlags.NO_HINTING).linearHoriAdvance
                     for letter in text) / 65536 / 1000
        assert marks.line_width(text, 1.0) == pytest.approx(wanted, abs=0.01)
    assert marks.line_width("32²") == pytest.approx(marks.line_width("32") + 0.7 * marks.line_width("2"))


def test_a_vector_shows_its_numbers():
    svg = layout.Diagram(diagrams.vector([1.0, 0.0, -1.0], quantity="code"), title="", description="")._repr_svg_()
    fills = re.findall(r'width="13.0"[^>]*fill="([^"]*)"', svg)
    assert fills == [marks.tint("code", share) for share in (1, 0.5, 0)] and fills[0] == PALETTE["vermilion"].lower()


def test_larger_and_deeper_maps_are_larger():
    wide, deep, flat = (diagrams.maps(torch.rand(shape)) for shape in ((8, 32, 32), (48, 8, 8), (8, 8, 8)))
    assert wide.width > deep.width > flat.width
    assert len(deep.draw(0, 0)) == 2 * 6 and len(flat.draw(0, 0)) == 2


def test_a_row_a_column_and_a_table_keep_things_apart():
    boxes = [diagrams.operation(text) for text in ("a", "a much longer one", "c", "d")]
    table = diagrams.grid(boxes[:2], boxes[2:], gap=(10, 20))
    frames = [box.reach() for box in boxes]
    assert frames[0][0] >= table.reach()[0] and boxes[0].y == boxes[1].y and boxes[0].x == boxes[2].x
    assert boxes[1].body()[0] - max(boxes[0].body()[2], boxes[2].body()[2]) == pytest.approx(10)
    assert boxes[2].body()[1] - boxes[0].body()[3] == pytest.approx(20)


def test_links_go_round():
    skip = small(lambda box, code: diagrams.connect(box, "top", code, "top", "skip", detour=30))
    way = skip.links[0].points()
    assert len(way) == 4 and way[1][1] == way[2][1] == min(way[0][1], way[3][1]) - 30
    assert skip.top < way[1][1] and not loose_ends(skip)
    loop = small(lambda box, code: diagrams.connect(box, "right", box, "left", detour=12))
    way = loop.links[0].points()
    assert way[0][0] > way[-1][0] and min(y for _, y in way) < loop.links[0].ends[0].body()[1] and not loose_ends(loop)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="stands between two elements"):
        layout.Diagram(diagrams.row(diagrams.arrow(), diagrams.note("x")), title="", description="")
    with pytest.raises(ValueError, match="a page has room for 760"):
        small(text="a name that is much too long " * 5)
    with pytest.raises(KeyError):
        diagrams.operation("x", "speed").draw(0, 0)
    with pytest.raises(ValueError, match="must lie in"):
        diagrams.picture(torch.full((3, 4, 4), 2.0))


def test_a_text_with_signs_of_markup_is_drawn_as_it_is():
    svg = layout.Diagram(diagrams.operation('a < b & "c"'), title="<T>", description="A & B")._repr_svg_()
    assert ElementTree.fromstring(svg).find(f"{SVG}title").text == "<T>"
    assert [frame[0] for frame in word_frames(svg)] == ['a < b & "c"']
