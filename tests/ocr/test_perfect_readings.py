"""Specimens as a reader without fault would read them: nothing is lost between lines and fields."""

from functools import cache

import pytest

from shared.contracts import CardField, IdType
from tests.ocr.laid_out import line, reading, small_dictionary
from tests.specimens import drawn, fonts, tuning
from tests.specimens.canvas import Canvas
from workers.ocr.cards.parsers import recognise
from workers.ocr.text import bare

SEEDS = tuning(15)


@pytest.fixture(scope="module")
def printed():
    """A function from seed and type to the truth and every line that was printed on the card."""
    if absent := fonts.missing():
        pytest.skip(f"needs the fonts of {', '.join(absent)}; deploy/test-setup.sh installs them where it may")
    text = Canvas.text

    @cache
    def print_card(seed, id_type):
        lines = []

        def noted(self, at, content, *args, **options):
            box = text(self, at, content, *args, **options)
            if content.strip():
                lines.append(line(content.strip(), box[0], box[1], height=box[3] - box[1], width=box[2] - box[0]))
            return box

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Canvas, "text", noted)
            return drawn(seed, id_type).fields, tuple(lines)

    return print_card


def same(expected, found):
    """Spaces and punctuation aside, but for the machine-readable zone."""
    return {
        key: (value, found.get(key))
        for key, value in expected.items()
        if (found.get(key) if key is CardField.MRZ else bare(found.get(key, "")))
        != (value if key is CardField.MRZ else bare(value))
    }


@pytest.mark.parametrize("id_type", IdType)
def test_a_specimen_that_is_read_without_fault_gives_its_truth(printed, id_type):
    for seed in SEEDS:
        truth, lines = printed(seed, id_type)
        best, *_ = recognise(reading(*lines))
        assert best.id_type is id_type, seed
        assert same(truth, {key: value.value for key, value in best.fields.items()}) == {}, seed


@pytest.mark.parametrize("id_type", [IdType.RESIDENT, IdType.DRIVER])
def test_so_it_does_without_what_the_small_dictionary_lacks(printed, id_type):
    for seed in SEEDS:
        truth, lines = printed(seed, id_type)
        read = [
            line(
                small_dictionary(each.text),
                each.left,
                each.top,
                height=each.height,
                width=each.right - each.left,
                latin=each.latin,
            )
            if any("가" <= character <= "힣" for character in each.text)
            else each
            for each in lines
        ]
        best, *_ = recognise(reading(*read))
        assert same(truth, {key: value.value for key, value in best.fields.items()}) == {}, seed


@pytest.mark.parametrize("id_type", IdType)
def test_every_value_of_it_is_sure_but_a_number_that_no_check_digit_proves(printed, id_type):
    for seed in SEEDS:
        _, lines = printed(seed, id_type)
        best, *_ = recognise(reading(*lines))
        doubted = {key for key, value in best.fields.items() if value.confidence < 0.9}
        assert doubted <= {CardField.ID_NUMBER, CardField.NAME}, seed
