"""A manifest of the operator's own: what it adds, where its files are looked for, and how a wrong one is refused."""

from __future__ import annotations

import hashlib

import pytest

from gateway.console.weights import WeightPlaces
from shared.contracts import Check
from shared.settings import Settings, SettingsError, Weights
from shared.weights import (
    Place,
    UnknownWeightError,
    WeightStore,
    WrongHashError,
    candidates,
    licences,
    manifest,
    names_of_check,
)
from shared.weights.cautions import caution
from shared.weights.features import features
from shared.weights.forms import Classifier, Detector, Recogniser
from shared.weights.requirements import Feature

BYTES = b"a network of the operator's own"
ENTRY = {
    "name": '"mine"',
    "file": '"mine.onnx"',
    "role": '"liveness.photo"',
    "sha256": f'"{hashlib.sha256(BYTES).hexdigest()}"',
    "licence": '"bought"',
    "commercial_use": "true",
}
CLASSIFIER = {"kind": '"classifier"', "side": "128", "crop": "1.5", "answer": '"logits"', "genuine": "1"}
RECOGNISER = {"kind": '"recogniser"', "side": "112", "dimension": "512"}
DETECTOR = {"kind": '"detector"', "outputs": '"scrfd"'}


def entry(form: dict[str, str] | None = CLASSIFIER, **changes: str | None) -> str:
    """An entry as TOML; a change to None leaves the field out."""

    def lines(fields: dict[str, str | None]) -> list[str]:
        return [f"{name} = {value}" for name, value in fields.items() if value is not None]

    head = ["[[weight]]", *lines({**ENTRY, **changes})]
    return "\n".join([*head, *(["[weight.form]", *lines(form)] if form is not None else []), ""])


@pytest.fixture
def written(tmp_path):
    """Write entries into mine.toml; what a store is built from."""

    def write(*entries: str) -> Weights:
        (tmp_path / "mine.toml").write_text("\n".join(entries))
        return Weights(cache=str(tmp_path / "cache"), manifest=str(tmp_path / "mine.toml"))

    return write


def test_its_entries_stand_behind_the_products(written):
    known = WeightStore(written(entry())).manifest
    assert known.weight[:-1] == manifest.SHIPPED.weight
    assert known.named("mine").form == Classifier(side=128, crop=1.5, answer="logits", genuine=1)
    assert manifest.with_own("") is manifest.SHIPPED


@pytest.mark.parametrize(
    ("role", "form", "expected"),
    [
        ("face.detector", DETECTOR, Detector(outputs="scrfd")),
        ("face.recogniser", RECOGNISER, Recogniser(side=112, dimension=512)),
        ("liveness.deepfake", CLASSIFIER, Classifier(side=128, crop=1.5, answer="logits", genuine=1)),
    ],
)
def test_each_role_has_its_form(written, role, form, expected):
    settings = written(entry(form, role=f'"{role}"'))
    assert WeightStore(settings).manifest.named("mine").form == expected


def test_the_file_lies_beside_the_manifest_or_where_any_weight_does(written, tmp_path):
    store = WeightStore(written(entry()))
    assert store.find("mine") is None
    assert f"put mine.onnx (sha256 {ENTRY['sha256'][1:17]}…) into {tmp_path}" in store.way_to_get(
        store.manifest.named("mine")
    )
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "mine.onnx").write_bytes(BYTES)
    assert store.locate("mine").place is Place.CACHE
    (tmp_path / "mine.onnx").write_bytes(BYTES)
    assert store.locate("mine").place is Place.OWN


def test_a_wrong_file_is_refused(written, tmp_path):
    (tmp_path / "mine.onnx").write_bytes(BYTES + b".")
    with pytest.raises(WrongHashError, match=r"mine: refused, the hash is not the manifest's: .*mine\.onnx"):
        WeightStore(written(entry())).locate("mine")


def test_its_licence_counts(written):
    settings = written(entry(commercial_use="false"))
    known = WeightStore(settings).manifest
    assert licences.non_commercial(["mine+minifasnet_v2_2.7"], known) == ["mine"]
    assert (
        WeightStore(Weights(cache=settings.cache, manifest=settings.manifest, licence="commercial")).find("mine")
        is None
    )


def test_nothing_of_it_is_taken_unless_it_is_named(written):
    known = WeightStore(written(entry())).manifest
    assert "mine" not in names_of_check(known, Check.PHOTO)
    assert names_of_check(known, Check.PHOTO, ("minifasnet_v2_2.7", "mine")) == ("minifasnet_v2_2.7", "mine")
    for gpu in (False, True):
        assert "mine" not in candidates("face.detector", gpu=gpu)


@pytest.mark.parametrize(
    ("check", "asked"),
    [
        (Check.PHOTO, ("auto", "mine")),
        (Check.PHOTO, ("commfor_vit_s16_384",)),
        (Check.DEEPFAKE, ("mine",)),
        (Check.PHOTO, ()),
    ],
)
def test_a_network_of_another_check_cannot_be_named(written, check, asked):
    known = WeightStore(written(entry())).manifest
    with pytest.raises(UnknownWeightError, match=r"is not one of|no network is named"):
        names_of_check(known, check, asked)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (entry(name='"scrfd_500m"'), "scrfd_500m: the product has a weight of this name; choose another"),
        (entry(file='"scrfd_500m.onnx"'), "mine: the product has a file scrfd_500m.onnx; choose another path"),
        (entry(name='"a+b"'), "a name has at least one character, and no +"),
        (entry(role='"ocr.korean"', form=None), "role is one of face.detector, face.recogniser, liveness.photo"),
        (entry(form=None), r'\[weight.form\] with kind = "classifier" is missing'),
        (entry(RECOGNISER), "a form of this kind does not fit the role liveness.photo"),
        (entry(licence=None), "missing required field `licence`"),
        (entry(sha256=None), "expected either sha256 or sha384"),
        (entry(sha256='"abc"'), "sha256 is 64 lower-case hexadecimal digits"),
        (entry(bites="3"), "unknown field `bites`"),
        (entry({**CLASSIFIER, "sides": "3"}), "unknown field `sides`"),
        (entry({**CLASSIFIER, "kind": '"classifer"'}), "Invalid value 'classifer'"),
        (entry({**CLASSIFIER, "answer": '"logit"', "genuine": "2"}), 'with answer = "logit" genuine is 0'),
        (entry({**CLASSIFIER, "resize": "440"}), r"expected either crop \(of the face's box\) or resize"),
        (entry({**CLASSIFIER, "edges": '["wrap"]'}), "Invalid enum value 'wrap'"),
        (entry({**CLASSIFIER, "edges": '["move", "move"]'}), "edges names at least one way, and each once"),
        (entry({**CLASSIFIER, "spread": "[1, 0, 1]"}), "spread is what pixels are divided by, so above 0"),
        (entry({**RECOGNISER, "landmarks": "[[0.3, 0.4]]"}, role='"face.recogniser"'), "five pairs"),
        (entry() + entry(), "two weights have the same name"),
        ("weight = 3", "Expected `array`"),
        ("[[weight", "mine.toml"),
    ],
)
def test_a_wrong_entry_is_named_with_the_file_and_what_is_wrong(written, text, complaint):
    with pytest.raises(SettingsError, match=complaint) as raised:
        WeightStore(written(text))
    assert str(raised.value).startswith("FIDOX_WEIGHTS_MANIFEST: ")
    assert "mine.toml: " in str(raised.value)


def test_a_manifest_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"FIDOX_WEIGHTS_MANIFEST: .*none\.toml cannot be read \(No such file"):
        WeightStore(Weights(manifest=str(tmp_path / "none.toml")))


def test_a_gateway_without_the_file_goes_on_with_the_products_names(tmp_path, caplog):
    places = WeightPlaces(Weights(cache=str(tmp_path), manifest=str(tmp_path / "none.toml")))
    assert places.manifest is manifest.SHIPPED
    assert "FIDOX_WEIGHTS_MANIFEST: " in caplog.text


def test_a_calibration_is_looked_for_beside_the_manifest(written, tmp_path):
    form = {**RECOGNISER, "calibration": '"fitted.toml"'}
    settings = written(entry(form, role='"face.recogniser"'))
    assert WeightStore(settings).manifest.named("mine").form.calibration == str(tmp_path / "fitted.toml")


def test_a_feature_says_what_a_named_network_needs(written, tmp_path):
    settings = written(entry())
    environment = {"FIDOX_CACHE_DIR": settings.cache, "FIDOX_WEIGHTS_MANIFEST": settings.manifest}

    def photo(**more: str):
        asked = Settings.from_env({**environment, **more})
        store = WeightStore(asked.weights, mirror=None)
        return {state.name: state for state in features(store, asked, gpu=False)}[Feature.PHOTO]

    state = photo(FIDOX_PHOTO_NETWORKS="mine")
    assert not state.on
    assert f"put mine.onnx (sha256 {ENTRY['sha256'][1:17]}…) into {tmp_path}" in state.get
    state = photo(FIDOX_PHOTO_NETWORKS="meso4_df")
    assert state.because.startswith("FIDOX_PHOTO_NETWORKS: meso4_df is not one of minifasnet_v2_2.7")
    assert state.get == "FIDOX_PHOTO_NETWORKS=auto"


def test_mesonet_has_a_caution_and_other_networks_have_none():
    assert "found none of 133" in caution(["minifasnet_v2_2.7", "meso4_df+mesoinception_df"])
    assert caution(["commfor_vit_s16_384", None, "minifasnet_v2_2.7"]) is None
