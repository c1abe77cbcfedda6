import numpy as np
import pytest

from mmrec.data.features import Draw
from mmrec.modalities.image.features import ImageFeatures, PixelFeatures

PLACES = np.array([[-1], [2], [-1], [0], [1]])  # four items; the second has no photo


def drawing(seed=0, positive=()):
    return Draw(np.random.default_rng(seed), np.array(positive, np.int64))


def views():
    """Returns features [3 photos, 3 views, 2]: view v of photo p is (p, v)."""
    photo, view = np.meshgrid(np.arange(3), np.arange(3), indexing="ij")
    return np.stack([photo, view], axis=-1).astype(np.float32)


def test_photo_features_are_read_by_item_row_and_zero_where_there_is_no_photo():
    features = ImageFeatures(views(), PLACES).rows(np.array([0, 3, 2, 1, 3]))
    assert features["image_features"].tolist() == [[0, 0], [0, 0], [0, 0], [2, 0], [0, 0]]
    assert features["image_present"].tolist() == [False, True, False, True, True]


def test_training_draws_augmented_views_only_and_all_else_reads_the_unchanged_one():
    source = ImageFeatures(views(), PLACES)
    rows = np.full(200, 4)
    assert set(source.rows(rows)["image_features"][:, 1]) == {0}
    drawn = source.rows(rows, drawing())["image_features"]
    assert set(drawn[:, 0]) == {1}
    assert set(drawn[:, 1]) == {1, 2}
    assert np.array_equal(drawn, source.rows(rows, drawing())["image_features"])
    assert not np.array_equal(drawn, source.rows(rows, drawing(1))["image_features"])


def test_without_augmentation_training_reads_the_only_view():
    features = ImageFeatures(views()[:, :1], PLACES).rows(np.array([1, 4]), drawing())
    assert features["image_features"].tolist() == [[2, 0], [1, 0]]


def pixel_source(per_step=2, augment=None):
    """Five stored photos, of which the catalog uses three; photo p is all p, and its feature 10 p."""
    pixels = np.broadcast_to(np.arange(5, dtype=np.uint8)[:, None, None, None], (5, 4, 4, 3))
    source = PixelFeatures(pixels, np.array([-1, 4, -1, 1, 2]), per_step, augment)
    source.refresh(lambda photos: photos[:, 0, 0, :1].astype(np.float32) * 10, batch=2)
    return source


def test_refreshing_encodes_the_photos_of_this_catalog_only():
    source = pixel_source()
    features = source.rows(np.array([4, 2, 1, 3, 0]))
    assert features["image_features"].tolist() == [[20], [0], [40], [10], [0]]
    assert features["image_present"].tolist() == [True, False, True, True, False]
    assert "pixels" not in features
    mean, deviation = source.standardisation()  # 10, 20, 40: off by -40/3, -10/3 and 50/3
    np.testing.assert_allclose(mean, [70 / 3], rtol=1e-6)
    np.testing.assert_allclose(deviation, [np.sqrt(1400 / 9)], rtol=1e-6)


def test_only_right_answers_with_a_photo_bring_their_pixels():
    source = pixel_source(per_step=9)
    rows = np.array([0, 1, 2, 3, 4])
    features = source.rows(rows, drawing(positive=[1, 2, 4]))  # 2 has no photo, 3 is no right answer
    assert sorted(features["pixels_at"].tolist()) == [1, 4]
    assert features["pixels"].shape == (2, 4, 4, 3)
    assert features["pixels"].dtype == np.float32
    for at, pixels in zip(features["pixels_at"], features["pixels"], strict=True):
        assert (pixels == {1: 4, 4: 2}[at]).all()


def test_the_photos_of_a_step_are_capped_and_each_has_its_turn():
    source = pixel_source(per_step=2)
    draw, turns = drawing(positive=[1, 3, 4]), set()
    for _ in range(20):
        at = source.rows(np.arange(5), draw)["pixels_at"].tolist()
        assert len(at) == len(set(at)) == 2
        turns |= set(at)
    assert turns == {1, 3, 4}


def test_a_step_may_be_without_any_photo():
    source = pixel_source(augment=lambda pixels, seeds: pytest.fail("nothing to change"))
    features = source.rows(np.array([0, 2]), drawing(positive=[1]))
    assert features["pixels"].shape == (0, 4, 4, 3)
    assert features["pixels_at"].shape == (0,)


def test_augmentation_gets_a_seed_per_photo_and_is_left_out_without_a_draw():
    seeds = []

    def augment(pixels, seed):
        seeds.append(seed)
        return pixels + 100

    source = pixel_source(augment=augment)
    features = source.rows(np.array([0, 3, 4]), drawing(positive=[1, 2]))
    assert sorted(features["pixels"][:, 0, 0, 0].tolist()) == [101, 102]
    assert seeds[0].shape == (2, 2)
    assert len({tuple(seed) for seed in seeds[0]}) == 2
    assert features["image_features"].tolist() == [[0], [10], [20]]  # the table is of unchanged photos
    source.rows(np.array([0, 3, 4]))
    assert len(seeds) == 1


def test_refreshing_again_replaces_the_features():
    source = pixel_source()
    source.refresh(lambda photos: photos[:, 0, 0, :1] * np.float32(2))
    assert source.rows(np.array([4, 1]))["image_features"].tolist() == [[4], [8]]


SEVERAL = np.array([[-1, -1, -1], [2, 0, -1], [-1, 1, -1], [2, 2, 1]])  # items with two photos, one, and three


def test_the_features_of_several_photos_are_averaged_whatever_place_they_stand_at():
    features = ImageFeatures(views(), SEVERAL).rows(np.array([3, 0, 2, 1]))
    np.testing.assert_allclose(features["image_features"], [[5 / 3, 0], [0, 0], [1, 0], [1, 0]], rtol=1e-6)
    assert features["image_present"].tolist() == [True, False, True, True]
    assert features["image_features"].dtype == np.float32


def test_each_of_several_photos_draws_its_own_view():
    features = ImageFeatures(views(), SEVERAL).rows(np.full(100, 1), drawing())["image_features"]
    assert set(features[:, 1]) == {1.0, 1.5, 2.0}


def test_standardisation_counts_each_distinct_photo_of_the_catalog_once_and_unchanged():
    values = np.array([[[1.0, 5], [9, 9]], [[3, 5], [9, 9]], [[100, 5], [9, 9]]], np.float32)
    mean, deviation = ImageFeatures(values, np.array([[-1], [1], [0], [1], [1]])).standardisation()
    assert (mean.tolist(), deviation.tolist()) == ([2, 5], [1, 1])
