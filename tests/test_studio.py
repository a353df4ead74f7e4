"""The studio: what each part of a command changes, jobs that never change, the queue, files that carry their line."""

import io
import struct

import numpy as np
import pytest
import torch
from PIL import Image
from studio_worlds import tiny_session, tiny_worlds

from helpers.show.raster import png_chunk, to_png
from helpers.systems import edits
from helpers.systems.studio import CommandError, Session, Studio, World, read_line, read_png, write_png
from helpers.systems.studio.chaos import CALM, SpreadNoise, fewer_words, own_share
from helpers.systems.studio.drawing import bicubic_twice, region
from helpers.systems.studio.session import MOST_JOBS, MOST_WAITING


def canvases(text, studio=None):
    return (studio or Studio(*tiny_worlds())).draw(read_line(text)).canvases


# -- chaos ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, CALM, 0.6, 1.0])
def test_noise_is_normal_and_as_alike_as_it_is_said(share):
    a, b, c = SpreadNoise(3, share)((3, 60_000))
    for x in (a, b, c):
        assert abs(x.mean()) < 0.02 and abs(x.std() - 1) < 0.02
    for x, y in ((a, b), (b, c)):
        assert torch.corrcoef(torch.stack([x, y]))[0, 1].item() == pytest.approx(1 - share, abs=0.02)


def test_noise_of_a_picture_does_not_depend_on_the_others_nor_on_the_seed_s_high_bits():
    assert torch.equal(SpreadNoise(3, 0.5)((4, 5))[:2], SpreadNoise(3, 0.5)((2, 5)))
    first, other = SpreadNoise(3), SpreadNoise(4)
    assert not torch.equal(first((2, 5)), other((2, 5))) and not torch.equal(first((2, 5)), first((2, 5)))


def test_chaos_goes_from_calm_to_independent():
    assert [own_share(chaos) for chaos in (0, 100)] == [CALM, 1.0] and own_share(50) == pytest.approx((1 + CALM) / 2)
    with pytest.raises(ValueError, match="from 0 to 1"):
        SpreadNoise(1, 1.5)


def test_words_get_lost_with_chaos_and_one_is_always_left():
    prompt = "a big red circle in the top left"
    assert fewer_words(prompt, 4, 0, 7) == [prompt] * 4
    left = [sum(len(text.split()) for seed in range(50) for text in fewer_words(prompt, 4, chaos, seed)) / 200
            for chaos in (0, 50, 100)]
    assert left[0] == 8 and left[1] == pytest.approx(6, abs=0.4) and left[2] == pytest.approx(4, abs=0.4)
    assert all(fewer_words("원", 4, 100, seed) == ["원"] * 4 for seed in range(20))
    for calm, wild in zip(fewer_words(prompt, 4, 40, 7), fewer_words(prompt, 4, 90, 7), strict=True):
        assert set(wild.split()) <= set(calm.split())


# -- what changes what ---------------------------------------------------------------------------------------------


def test_one_line_gives_one_picture_in_any_studio():
    text = "/imagine prompt: a red circle --seed 7 --chaos 20 > U2 > Pan left --seed 3 > U1 > Vary Strong --seed 5"
    first, again = canvases(text), canvases(text)
    assert torch.equal(first, again)
    used = Studio(*tiny_worlds())
    canvases("/imagine prompt: a blue star --seed 7", used)
    assert torch.equal(canvases(text, used), first), "what was drawn before does not matter"


@pytest.mark.parametrize("other", ["a blue circle --seed 7", "a red circle --seed 8",
                                   "a red circle --seed 7 --chaos 50", "a red circle --seed 7 --no blue",
                                   "a red circle --seed 7 --stop 50", "a red circle --seed 7 --emoji"])
def test_each_part_of_a_command_changes_the_pictures(other):
    assert not torch.equal(canvases("/imagine prompt: a red circle --seed 7"), canvases(f"/imagine prompt: {other}"))


def test_stylize_goes_from_no_artist_to_the_artist():
    def drawn(stylize, style="noto"):
        return canvases(f"/imagine prompt: tiger --emoji --seed 3 --stylize {stylize} --style {style}")

    none, some, full = (drawn(stylize) for stylize in (0, 400, 1000))
    assert torch.equal(none, drawn(0, "fluent")), "at 0 no artist is named"
    assert not torch.equal(full, drawn(1000, "fluent"))
    assert 0 < (some - none).abs().mean() < (full - none).abs().mean()
    scene = [canvases(f"/imagine prompt: a star --seed 3 --stylize {stylize}") for stylize in (0, 900)]
    assert torch.equal(*scene)


def test_guesses_on_the_line_between_plain_and_signed():
    world = tiny_worlds()[1]
    x, t = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.tensor([500])
    plain, half, signed = (world.denoiser(["tiger"], "", "noto", stylize)(x, t) for stylize in (0, 500, 1000))
    torch.testing.assert_close(half, (plain + signed) / 2)
    torch.testing.assert_close(signed, world.denoiser(["tiger by noto"])(x, t))


def test_the_loop_is_broken_at_the_stop(monkeypatch):
    world = tiny_worlds()[0]
    heard, denoise = [], world.system.denoise
    monkeypatch.setattr(world.system, "denoise", lambda x, t, **c: heard.append(int(t[0])) or denoise(x, t, **c))
    ten = World(world.system, 1.0, 10, 0.0)
    Studio(ten).draw(read_line("/imagine prompt: a star --seed 1 --stop 30"))
    assert heard == [1000, 900, 800]


@pytest.mark.parametrize(("press", "kept"), [
    ("Pan left", (slice(0, 32), slice(16, 48))), ("Pan right", (slice(0, 32), slice(0, 32))),
    ("Pan up", (slice(16, 48), slice(0, 32))), ("Pan down", (slice(0, 32), slice(0, 32))),
])
def test_a_pan_keeps_the_picture_and_draws_beside_it(press, kept):
    before = canvases("/imagine prompt: a star --seed 1 > U1")
    after = canvases(f"/imagine prompt: a star --seed 1 > U1 > {press} --seed 2")
    assert after.shape[0] == 4 and torch.equal(after[:, :, kept[0], kept[1]], before.expand(4, -1, -1, -1))
    assert not torch.equal(after[0], after[1])


def test_a_region_changes_its_cells_and_nothing_else():
    mask = region("1,2-3,4+7,7", 32, 32)
    assert mask.shape == (1, 1, 32, 32) and int(mask.sum()) == (9 + 1) * 16
    assert mask[0, 0, 8:20, 4:16].all() and mask[0, 0, 28:, 28:].all()
    before = canvases("/imagine prompt: a star --seed 1 > U1")
    after = canvases("/imagine prompt: a star --seed 1 > U1 > Region 1,2-3,4+7,7: a blue circle --seed 2")
    changed = (after != before).any(1, keepdim=True)
    assert not (changed & ~mask).any() and (changed & mask).any()
    other = canvases("/imagine prompt: a star --seed 1 > U1 > Region 1,2-3,4+7,7 --seed 2")
    assert not torch.equal(after, other), "the region's own words are heard"


def test_zoom_keeps_the_middle():
    before = canvases("/imagine prompt: a star --seed 1 > U1")
    after = canvases("/imagine prompt: a star --seed 1 > U1 > Zoom Out 2x --seed 2")
    small = torch.nn.functional.interpolate(before, size=16, mode="bicubic", antialias=True).clamp(-1, 1)
    assert torch.equal(after[:, :, 8:24, 8:24], small.expand(4, -1, -1, -1))


def test_subtle_changes_less_than_strong_and_v_is_strong():
    grid = "/imagine prompt: a star --seed 1"
    before = canvases(f"{grid} > U3")
    subtle, strong = (canvases(f"{grid} > U3 > Vary {how} --seed 2") for how in ("Subtle", "Strong"))
    assert (subtle - before).abs().mean() < (strong - before).abs().mean()
    assert torch.equal(strong, canvases(f"{grid} > V3 --seed 2"))


def test_u_shows_twice_the_pixels_and_keeps_the_picture():
    studio = Studio(*tiny_worlds())
    drawing = studio.draw(read_line("/imagine prompt: a star --seed 1 > U3"))
    assert drawing.shown.shape == (1, 64, 64, 3) and drawing.canvases.shape == (1, 3, 32, 32)
    assert torch.equal(drawing.canvases, canvases("/imagine prompt: a star --seed 1")[2:3])
    x = torch.linspace(-1, 1, 3 * 64).reshape(1, 3, 8, 8)
    torch.testing.assert_close(torch.nn.functional.avg_pool2d(bicubic_twice(x), 2)[..., 2:-2, 2:-2], x[..., 2:-2, 2:-2],
                               atol=0.02, rtol=0)


def test_another_upscaler_takes_the_place_of_the_bicubic_one():
    studio = Studio(*tiny_worlds(), upscale=lambda x: x.repeat_interleave(4, 2).repeat_interleave(4, 3))
    assert studio.draw(read_line("/imagine prompt: a star --seed 1 > U3")).shown.shape == (1, 128, 128, 3)


def test_an_image_prompt_weighs_more_with_iw(monkeypatch):
    """Less noise lies over it: a network with random weights would not show that by the pictures at each step."""
    source, strengths, drawn_on = "/imagine prompt: a star --seed 1 > U2", [], edits.drawn_on
    monkeypatch.setattr(edits, "drawn_on", lambda *a: strengths.append(a[3]) or drawn_on(*a))
    before = canvases(source)
    far = [(canvases(f"/imagine prompt: {{{source}}} a moon --seed 3 --iw {iw}") - before).abs().mean().item()
           for iw in (0, 1.5, 3)]
    assert strengths == [1, 0.625, 0.25] and min(far[:2]) > far[2] > 0
    assert torch.equal(canvases(f"/imagine prompt: {{{source}}} a moon --seed 3 --iw 0"),
                       canvases("/imagine prompt: a moon --seed 3")), "all noise: the picture is forgotten"


def test_a_wide_canvas_has_the_square_in_its_middle():
    square, wide = (canvases(f"/imagine prompt: a star --seed 1{ar}") for ar in ("", " --ar 2:1"))
    assert wide.shape == (4, 3, 32, 64) and torch.equal(wide[..., 16:48], square)
    varied = canvases("/imagine prompt: a star --seed 1 --ar 2:1 > V1 --seed 2")
    assert varied.shape == wide.shape


# -- words ---------------------------------------------------------------------------------------------------------


def test_remarks_are_told():
    notes = tiny_session().say("/imagine prompt: a red 龘 star --stylize 5 --seed 1").drawing.notes
    assert notes == ("not read: 龘", "scenes are drawn by one hand, so --stylize changes nothing here")


@pytest.mark.parametrize(("text", "says"), [
    ("/imagine prompt: 龘", "no word of the prompt"), ("/imagine prompt: a star --no 龘", "behind --no"),
    ("/imagine prompt: " + "star " * 70, "the prompt is refused"),
    ("/imagine prompt: a star > U1 > Region 0,0: 龘", "no word of the words of the region"),
])
def test_words_that_cannot_be_drawn(text, says):
    with pytest.raises(CommandError, match=says):
        tiny_session().say(text)


def test_a_studio_without_emoji_says_so():
    with pytest.raises(CommandError, match="has no emoji"):
        Session(Studio(tiny_worlds()[0])).say("/imagine prompt: tiger --emoji")


# -- the session ---------------------------------------------------------------------------------------------------


def test_buttons_belong_to_the_job_that_they_stand_under():
    session = tiny_session()
    first = session.say("/imagine prompt: a red circle")
    assert first.text == "/imagine prompt: a red circle --seed 101"
    session.say("/imagine prompt: a blue star")
    assert session.say("U2").text == "/imagine prompt: a blue star --seed 102 > U2"
    assert session.say("#1 u2").text == "/imagine prompt: a red circle --seed 101 > U2"
    assert session.say("V4", number=1).text == "/imagine prompt: a red circle --seed 101 > V4 --seed 103"
    assert session.say("reroll").text == "/imagine prompt: a red circle --seed 101 > V4 --seed 104"
    assert session.say("#1 re-roll").text == "/imagine prompt: a red circle --seed 105"
    assert session.say("/imagine #1.2 a moon").text == (
        "/imagine prompt: {/imagine prompt: a red circle --seed 101 > U2} a moon --seed 106")
    assert [job.number for job in session.jobs] == list(range(1, 9)) and session.jobs[0] is first
    with pytest.raises(CommandError, match="this is one picture"):
        session.say("#3 reroll")


def test_every_job_is_drawn_again_from_its_text():
    session = tiny_session()
    for text in ("/imagine prompt: a circle", "U1", "vary subtle", "u2", "zoom out 1.5x", "/imagine #1.3 별 --iw 2"):
        session.say(text)
    for job in session.jobs:
        again = tiny_session().say(job.text)
        assert again.text == job.text and np.array_equal(again.drawing.shown, job.drawing.shown)
        assert again.png() == job.png()


def test_jobs_are_immutable():
    job = tiny_session().say("/imagine prompt: a star")
    with pytest.raises(AttributeError):
        job.number = 3


def test_a_burst_is_answered_in_its_order_and_the_rest_is_dropped_with_a_word():
    session = tiny_session()
    said = [session.post(f"/imagine prompt: a star --seed {k}") for k in range(50)]
    assert said[:MOST_WAITING] == [""] * MOST_WAITING and all("dropped" in words for words in said[MOST_WAITING:])
    answers = [session.answer() for _ in range(MOST_WAITING)]
    assert [answer.job.line.asked.seed for answer in answers] == list(range(MOST_WAITING))
    assert [answer.job.number for answer in answers] == list(range(1, MOST_WAITING + 1)) and not session.waiting


def test_a_fault_of_the_studio_is_told_and_the_next_command_is_drawn():
    session = tiny_session()
    session.studio.upscale = lambda x: 1 / 0
    for text in ("/imagine prompt: a star", "U1", "V1"):
        session.post(text)
    answers = [session.answer() for _ in range(3)]
    assert "ZeroDivisionError" in answers[1].words and answers[1].job is None and answers[2].job.number == 2


def test_a_sitting_ends(monkeypatch):
    session = tiny_session()
    session.jobs = (session.say("/imagine prompt: a star"),) * MOST_JOBS
    with pytest.raises(CommandError, match="begin a new one"):
        session.say("U1")


# -- files ---------------------------------------------------------------------------------------------------------


def job_of(text="/imagine prompt: 큰 빨간 원 --seed 7 > U2"):
    return tiny_session().say(text)


def test_a_file_carries_its_line_and_any_viewer_opens_it():
    job = job_of()
    line, plain = read_png(job.png())
    assert line == job.line and plain == to_png(job.picture())
    image = Image.open(io.BytesIO(job.png()))
    image.load()
    assert np.array_equal(np.asarray(image), job.picture()) and image.text["course-studio"] == job.text


def test_a_saved_picture_is_drawn_again_in_another_sitting():
    job, session = job_of(), tiny_session()
    again, words = session.open(job.png())
    assert again.text == job.text and "byte for byte" in words and session.jobs == (again,)
    other = write_png(255 - job.picture(), job.line)
    assert "not the same" in session.open(other)[1]


def test_bad_files_are_refused_with_a_sentence():
    good = job_of().png()
    plain = to_png(np.zeros((4, 4, 3), np.uint8))
    jpeg = io.BytesIO()
    Image.new("RGB", (8, 8)).save(jpeg, "JPEG")

    def with_text(text):
        return plain[:33] + png_chunk(b"iTXt", b"course-studio\0\0\0\0\0" + text) + plain[33:]

    bad = {b"": "empty", b"hello": "no PNG", jpeg.getvalue(): "no PNG", plain: "carries no command",
           good[:-20]: "cut off", good[:40]: "cut off", good[:8]: "cut off", b"\0" * 4_000_001: "4,000,001 bytes",
           good.replace("빨간".encode(), "파란".encode()): "damaged", with_text(b"\xff\xfe"): "is damaged",
           with_text(b"rm -rf /"): "cannot be drawn", with_text(b"/imagine prompt: a star"): "lacks a seed",
           good[:8] + struct.pack(">I", 2**31) + good[12:]: "cut off"}
    for data, says in bad.items():
        with pytest.raises(CommandError, match=says):
            tiny_session().open(data)


def test_a_file_that_another_program_saved_again_says_what_happened():
    again = io.BytesIO()
    Image.open(io.BytesIO(job_of().png())).save(again, "PNG")
    with pytest.raises(CommandError, match="saved again by a program"):
        tiny_session().open(again.getvalue())


@pytest.mark.parametrize("seed", range(40))
def test_no_damage_to_a_file_breaks_the_studio(seed):
    data = bytearray(job_of().png())
    places = torch.randint(len(data), (3,), generator=torch.Generator().manual_seed(seed)).tolist()
    for place in places:
        data[place] ^= 1 + seed
    with pytest.raises(CommandError):
        tiny_session().open(bytes(data))
