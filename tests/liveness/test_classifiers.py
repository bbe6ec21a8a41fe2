"""Networks that are run by their forms: what each is shown, and how its answer is read.

The files of most of them are not at hand. Small networks of the same inputs and outputs stand in for them: each
averages every channel over the whole input and multiplies the three numbers with a matrix, so that what it was given
can be told.
"""

import math

import msgspec
import numpy as np
import pytest

from shared.settings import Inference, Weights
from shared.weights import Located, Place, WeightsError, WeightStore, manifest
from shared.weights.forms import Classifier as Form
from tests.support import onnx_files
from workers.liveness.classifiers import LIMIT, PLAIN, Classifier, ClassifierCheck, Logistic
from workers.liveness.deepfake import MesoNetCheck, deepfake_check
from workers.liveness.photo import FITTED, photo_check

F32 = Inference(precision="f32")
BLUE, GREEN, RED = (200, 0, 0), (0, 200, 0), (0, 0, 200)
BOX = np.array([80, 80, 120, 120], np.float32)


def plain(colour: tuple[int, int, int], height: int = 200, width: int = 200) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


@pytest.fixture
def network(tmp_path):
    """Write a network that answers with the channels' means times `matrix`: network(side, [[…], […], […]])."""

    def write(side: int, matrix, bias=None, *, softmax: bool = False):
        matrix = np.array(matrix, np.float32)
        nodes = [
            onnx_files.node("GlobalAveragePool", ["input"], "means"),
            onnx_files.node("Flatten", ["means"], "flat", axis=1),
            onnx_files.node("MatMul", ["flat", "matrix"], "product"),
            onnx_files.node("Add", ["product", "bias"], "sum"),
            onnx_files.node("Softmax", ["sum"], "output", axis=1)
            if softmax
            else onnx_files.node("Identity", ["sum"], "output"),
        ]
        constants = [
            onnx_files.tensor("matrix", matrix),
            onnx_files.tensor("bias", np.zeros(matrix.shape[1]) if bias is None else np.array(bias)),
        ]
        inputs = [onnx_files.value("input", [1, 3, side, side])]
        outputs = [onnx_files.value("output", [1, matrix.shape[1]])]
        return onnx_files.write(tmp_path / f"{side}.onnx", nodes, constants, inputs, outputs)

    return write


def located(name: str, path) -> Located:
    return Located(manifest.load().named(name), path, Place.FOLDER)


def of_form(path, **fields) -> Located:
    return located("minifasnet_v2_2.7", path)._replace(
        weight=msgspec.structs.replace(manifest.load().named("minifasnet_v2_2.7"), form=Form(**fields))
    )


def test_bin_128_is_shown_rgb_of_0_to_1_and_its_first_class_is_genuine(network):
    """AntiSpoofing_bin_1.5_128: two logits; here "genuine" is the mean of red and "spoof" that of blue."""
    check = Classifier(F32, located("antispoof_bin_1.5_128", network(128, [[2, 0], [0, 0], [0, 2]])))
    assert check.log_odds(plain(RED), BOX) == pytest.approx([2 * 200 / 255], abs=1e-3)
    assert check.log_odds(plain(BLUE), BOX) == pytest.approx([-2 * 200 / 255], abs=1e-3)


def test_bin_128_sees_one_and_a_half_times_the_longer_side_and_black_beyond_the_picture(network):
    check = Classifier(F32, located("antispoof_bin_1.5_128", network(128, [[1, 0], [0, 0], [0, 0]])))
    tall = np.array([90, 60, 110, 140], np.float32)  # 120 pixels both ways
    red = plain(RED)
    red[:, :40] = red[:, 160:] = red[:40] = red[160:] = BLUE
    assert check.log_odds(red, tall) == pytest.approx([200 / 255], abs=1e-2)
    corner = np.array([0, 0, 80, 80], np.float32)  # its crop, 120 pixels from -20 on, lies a sixth outside each way
    assert check.log_odds(plain(RED), corner) == pytest.approx([200 / 255 * (5 / 6) ** 2], abs=2e-2)


def test_mn3_gets_its_mean_and_spread_in_rgb_and_answers_with_probabilities(network):
    """anti-spoof-mn3: the probabilities of a real person and of a spoof."""
    check = Classifier(F32, located("anti_spoof_mn3", network(128, [[1, 0], [0, 0], [0, 1]], softmax=True)))
    pixels = plain((0, 0, 152))
    red, blue = (152 - 151.2405) / 63.0105, (0 - 107.8395) / 55.0035
    assert check.log_odds(pixels, BOX) == pytest.approx([red - blue], abs=1e-3)


def test_commfor_sees_the_middle_of_the_picture_and_its_one_logit_says_forged(network):
    """Community Forensics: the shorter side is 440 pixels, of which the middle 384 are seen, whatever the box is."""
    path = network(384, [[-1], [0], [0]], bias=[1.0])
    check = Classifier(F32, located("commfor_vit_s16_384", path))
    wide = plain(BLUE, 220, 600)
    wide[14:206, 204:396] = (0, 0, 124)  # 192 of the 220 pixels, in the middle
    seen = (124 - 123.675) / 58.395
    for box in (BOX, np.array([0, 0, 600, 220], np.float32)):
        assert check.log_odds(wide, box) == pytest.approx([seen - 1.0], abs=5e-2)


def test_a_probability_is_of_all_classes_and_log_odds_have_a_limit(network):
    path = network(80, [[0, 0, 0]] * 3, bias=[1.0, 2.0, 0.5])
    check = Classifier(F32, located("minifasnet_v2_2.7", path))
    expected = 2.0 - math.log(math.exp(1.0) + math.exp(0.5))
    assert check.log_odds(plain(RED), BOX)[0] == pytest.approx(expected, abs=1e-4)
    sure = Classifier(F32, located("minifasnet_v2_2.7", network(80, [[0, 0, 0]] * 3, bias=[0.0, 99.0, 0.0])))
    assert sure.log_odds(plain(RED), BOX)[0] == LIMIT


def test_a_crop_that_leaves_the_picture_is_looked_at_in_every_way_of_its_form(network):
    path = network(80, [[0, 0.01], [0, 0], [0, 0]])
    check = Classifier(
        F32, of_form(path, side=80, crop=2.0, edges=("repeat", "move", "black"), answer="logits", genuine=1)
    )
    pixels = plain(BLUE)
    pixels[:, :60] = RED
    inside = check.log_odds(pixels, np.array([30, 80, 70, 120], np.float32))
    assert len(inside) == 3
    assert len(set(inside)) == 1
    # 80 pixels from -20 on: 20 are repeated or black, or it is moved to 0.
    repeat, move, black = check.log_odds(pixels, np.array([0, 80, 40, 120], np.float32))
    assert (repeat, move, black) == pytest.approx((2.0, 2.0 * 60 / 80, 2.0 * 60 / 80), abs=5e-2)


@pytest.mark.parametrize(
    ("side", "matrix", "fields", "complaint"),
    [
        (64, [[0, 0]] * 3, {"answer": "logits"}, r"says an input of \(3, 80, 80\); the file takes \(3, 64, 64\)"),
        (80, [[0, 0]] * 3, {"answer": "logit"}, "says one logit; the file gives 2"),
        (80, [[0, 0]] * 3, {"answer": "logits", "genuine": 2}, "class 2 is genuine; there are 2"),
        (80, [[0]] * 3, {"answer": "probabilities"}, "class 0 is genuine; there are 1"),
    ],
)
def test_a_file_that_is_not_what_its_form_says_is_refused_when_it_is_loaded(network, side, matrix, fields, complaint):
    path = network(side, matrix)
    with pytest.raises(WeightsError, match=complaint):
        Classifier(F32, of_form(path, side=80, crop=1.0, **fields)).warm_up()


def test_a_check_is_the_mean_of_all_views_of_all_networks(network, tmp_path):
    first = Classifier(F32, located("minifasnet_v2_2.7", network(80, [[0, 0, 0]] * 3, bias=[0, 1.0, -99])))
    second = Classifier(F32, located("antispoof_bin_1.5_128", network(128, [[0, 0]] * 3, bias=[-0.5, 0])))
    check = ClassifierCheck([first, second])
    assert check.model_id == "minifasnet_v2_2.7+antispoof_bin_1.5_128"
    assert check.log_odds(plain(RED), BOX) == pytest.approx((1.0 + 1.0 - 0.5) / 3, abs=1e-4)
    assert check.score(plain(RED), BOX) == pytest.approx(1 / (1 + math.exp(-0.5)), abs=1e-4)
    check.warm_up()


def test_the_fitted_map_is_for_the_networks_that_it_was_fitted_on(network):
    names = ("minifasnet_v2_2.7", "minifasnet_v1se_4.0", "antispoof_bin_1.5_128")
    neutral = {side: network(side, [[0] * classes] * 3) for side, classes in ((80, 3), (128, 2))}
    both, three = (
        photo_check(F32, *(located(name, neutral[128 if "128" in name else 80]) for name in chosen))
        for chosen in (names[:2], names)
    )
    fitted = FITTED["+".join(names[:2])]
    log_odds = both.log_odds(plain(RED), BOX)
    assert both.score(plain(RED), BOX) == fitted(log_odds) != PLAIN(log_odds)
    assert three.score(plain(RED), BOX) == PLAIN(three.log_odds(plain(RED), BOX))


def test_the_map_is_half_at_its_middle_and_rises():
    fitted = Logistic(slope=2.0, middle=-1.0)
    assert fitted(-1.0) == 0.5
    assert fitted(0.0) == pytest.approx(1 / (1 + math.exp(-2.0)))


def test_the_deepfake_check_runs_on_mesonet_or_on_what_is_named(network, tmp_path):
    named = deepfake_check(F32, located("commfor_vit_s16_384", network(384, [[0]] * 3, bias=[2.0])))
    assert named.model_id == "commfor_vit_s16_384"
    assert named.score(plain(RED), BOX) == pytest.approx(1 / (1 + math.exp(2.0)), abs=1e-4)
    store = WeightStore(Weights(cache=str(tmp_path)))
    found = [store.find(name) or pytest.skip("needs MesoNet's weights") for name in ("meso4_df", "mesoinception_df")]
    assert isinstance(deepfake_check(F32, *found), MesoNetCheck)
