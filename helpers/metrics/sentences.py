r"""How good translations are, in numbers: a list of hypotheses against a list of references, one for each.

A hypothesis is what a model wrote, a reference what a human wrote. All figures are of the whole list.
"""

from collections.abc import Sequence


def exact_match(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    r"""Share of hypotheses that equal their reference, white space apart: 0 to 1."""
    check_pairs(hypotheses, references)
    pairs = zip(hypotheses, references, strict=True)
    return sum(one.split() == other.split() for one, other in pairs) / len(references)


def bleu(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    r"""BLEU-4 of Papineni et al. 2002 as sacrebleu computes it (Post 2018), cased: 0 to 100.

    100 BP (p1 p2 p3 p4)^(1/4). The precision pn is the number of n-grams of the hypotheses that occur in their
    reference (each at most as often as there), over the number of all their n-grams; both are summed over the whole
    list before they are divided. With c words in all hypotheses and r in all references, the brevity penalty BP is 1
    for c >= r, otherwise exp(1 - r/c). Words are those of mteval-v13a, which splits punctuation off.

    Where no n-gram of a length matches, pn is not 0 but 1 over twice the number of n-grams; for the second such length
    over four times, and so on ("exp" of Chen & Cherry 2014). It is 0 where nothing matches, or no hypothesis has four
    words. Signature: nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp.
    """
    from sacrebleu.metrics import BLEU  # here and below: it takes a while, and most pages score no translation

    check_pairs(hypotheses, references)
    # force only silences a warning about text that looks as if its punctuation had been split off already.
    return BLEU(force=True).corpus_score(list(hypotheses), [list(references)]).score


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    r"""chrF2 (Popović 2015, 2016) as sacrebleu computes it: 0 to 100.

    The F-score, recall counting twice as much, of n-grams of one to six characters, white space left out; kinder than
    BLEU to a word that is nearly right. Signature: nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no.
    """
    from sacrebleu.metrics import CHRF

    check_pairs(hypotheses, references)
    return CHRF().corpus_score(list(hypotheses), [list(references)]).score


def check_pairs(hypotheses: Sequence[str], references: Sequence[str]) -> None:
    if isinstance(hypotheses, str) or isinstance(references, str):
        raise ValueError("hypotheses and references are lists of texts; for a single one, give [text]")
    if len(hypotheses) != len(references) or not references:
        sizes = f"{len(hypotheses)} and {len(references)}"
        raise ValueError(f"each hypothesis needs its reference, and there must be one at least; got {sizes}")
