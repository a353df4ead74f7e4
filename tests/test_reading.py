"""The reader of captions: what it is taught, how it answers, and that the shipped one reads."""

import pytest
import torch
import torch.nn.functional as F

from helpers.data import scenes
from helpers.data.scenes import LANGUAGES, UNSAID
from helpers.data.text import source_batch
from helpers.lessons.stable_diffusion import facts as told
from helpers.lessons.stable_diffusion import recipes
from helpers.lessons.text_conditioned_diffusion import batches
from helpers.models.reading import SceneReader, reading_loss
from helpers.training.checkpoints import load


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(0)
    return SceneReader(["a", "b", "c", "d"], [3, 2], {"width": 8, "depth": 1, "heads": 2}).eval()


def ids(texts):
    return source_batch(batches.prompt_tokenizer(), texts)


@pytest.mark.parametrize("two", [False, True])
def test_facts_are_what_a_text_says(two):
    """Read back by the grammar; from whichever end a pair is told, the facts are the same."""
    generator = torch.Generator().manual_seed(5)
    facts, texts = told.captions_to_read(*((0, 60) if two else (60, 0)), generator)
    read, agreed = scenes.read_pair_caption if two else scenes.read_caption, 0
    for row, text in zip(facts, texts, strict=True):
        assert (row[:6] if two else row[6:]).eq(UNSAID).all()
        reading = read(text)
        if not reading.problems:  # made-up words are one
            agreed += 1
            assert torch.equal(told.facts_of(torch.as_tensor(reading.found)[None], two)[0], row), text
    assert agreed >= 40
    assert any(batches.language_of(text) == "ko" for text in texts)


def test_texts_that_mean_the_same_say_the_same():
    rows = torch.tensor([[0, 1, 0, 2, 3, 0], [2, 3, 1, 0, 1, 0], [0, 1, 0, 2, UNSAID, 0], [2, UNSAID, 1, 0, 1, 0]])
    facts = told.facts_of(rows, True)
    same = facts[:, 12:]
    assert torch.equal(same[0], same[1]) and torch.equal(same[2], same[3]) and not torch.equal(same[0], same[2])
    assert torch.equal(facts[:, 6:12], rows), "and each in its own order, too"


def test_the_loss_counts_what_is_not_said_as_an_answer(small):
    texts, said = torch.tensor([[3, 1, 0], [2, 3, 1]]), torch.tensor([[2, UNSAID], [UNSAID, 0]])
    loss, parts = reading_loss(small, {"texts": texts, "said": said})
    answers = small(texts)
    by_hand = [F.cross_entropy(answers[0], torch.tensor([3, 0])), F.cross_entropy(answers[1], torch.tensor([0, 1]))]
    torch.testing.assert_close(loss, sum(by_hand))
    torch.testing.assert_close(parts["worst"], max(by_hand).detach())
    torch.testing.assert_close(small.said(texts)[:, 1], answers[1].argmax(1) - 1)


def test_at_first_it_has_the_features_of_notebook_11():
    model, clip = recipes.reader_to_teach().eval(), load(recipes.READER)[0]
    texts = ids(["a big red circle", "왼쪽 위에 파란 별", ""])
    with torch.no_grad():
        torch.testing.assert_close(model.text(texts), clip.text(texts))
    assert all(part.requires_grad for part in model.text.parameters()), "all of it learns"


def test_it_learns_a_batch_by_heart():
    torch.manual_seed(0)
    model, batch = recipes.reader_to_teach(), told.reading_batches(6, 6)(0)
    rate = torch.optim.AdamW(model.parameters(), 2e-3)
    for _ in range(100):
        loss, _ = reading_loss(model, batch)
        rate.zero_grad()
        loss.backward()
        rate.step()
    assert loss < 0.5 and torch.equal(model.said(batch["texts"]), batch["said"])


@pytest.mark.parametrize(("text", "said"), [
    ("a red circle left of a blue square on black", {6: 0, 7: 0, 8: 0, 9: 1, 10: 5, 11: 0} |
     {12: 0, 13: 0, 14: 0, 15: 1, 16: 5, 17: 0}),
    ("draw a blue square right of a red circle", {6: 1, 7: 5, 8: 1, 9: 0, 10: 0} | {12: 0, 13: 0, 14: 0, 15: 1, 16: 5}),
    ("파란 사각형 위에 노란 별", None),
    ("a big green star at the top left", {0: 3, 1: 3, 2: 1, 3: 0, 4: 0}),
    ("왼쪽 위에 큰 초록 별 그려줘", {0: 3, 1: 3, 2: 1, 3: 0, 4: 0}),
])
def test_the_shipped_one_reads(text, said):
    model = load(told.SCENE_READER)[0]
    if said is None:  # told from above in the words of the grammar
        found = torch.as_tensor(scenes.read_pair_caption(text).found)[None]
        expected = told.facts_of(found, True)
    else:
        expected = torch.full((1, 18), UNSAID)
        for place, value in said.items():
            expected[0, place] = value
    assert model.config["facts"] == told.FACTS
    assert torch.equal(model.said(ids([text])), expected), text


def test_the_shipped_one_reads_nearly_all_captions_of_taught_pairings():
    model = load(told.SCENE_READER)[0]
    found = told.judge_reading(model, 200)
    assert found["one.train"] >= 0.95 and found["two.train"] >= 0.95, LANGUAGES
