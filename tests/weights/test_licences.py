"""The line about weights whose licence does not allow commercial use: which names it lists, and when it is absent."""

from shared.weights import licences


def test_the_line_names_each_weight_once_and_in_order() -> None:
    models = ["scrfd_500m", "w600k_mbf", None, "minifasnet_v2_2.7+scrfd_500m"]
    assert licences.non_commercial(models) == ["scrfd_500m", "w600k_mbf"]
    assert licences.notice(models) == (
        "non-commercial weights are in use: scrfd_500m, w600k_mbf; FIDOX_WEIGHTS_LICENCE=commercial leaves them out"
    )


def test_there_is_no_line_where_all_may_be_used_or_nothing_is_loaded() -> None:
    assert licences.notice(["yunet_2023mar", "face_reidentification_retail_0095", "dlib_hog", "dlib_resnet_v1"]) is None
    assert licences.notice([None, ""]) is None
