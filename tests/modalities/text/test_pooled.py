import numpy as np

from mmrec.data.feature_store import FeatureStore
from mmrec.data.features import Draw
from mmrec.modalities.text.pooled import pool_texts

TOKENS = np.array([[3, 4, 0], [5, 0, 0], [0, 0, 0], [3, 4, 0], [6, 7, 8]], np.int32)


def pooled(folder, tokens=TOKENS, batch=2):
    asked = []

    def encode(some):
        asked.append(some.tolist())
        return np.stack([some.sum(axis=1), (some > 0).sum(axis=1)], axis=1).astype(np.float32)

    return pool_texts(tokens, FeatureStore(folder, (2,)), encode, lambda *_: None, batch), asked


def test_each_distinct_text_is_read_once_the_shortest_first(tmp_path):
    source, asked = pooled(tmp_path)
    assert asked == [[[5, 0], [3, 4]], [[6, 7, 8]]]
    features = source.rows(np.array([0, 1, 2, 3, 4, 5]))
    assert features["text_features"].tolist() == [[0, 0], [7, 2], [5, 1], [0, 0], [7, 2], [21, 3]]
    assert features["text_present"].tolist() == [False, True, True, False, True, True]


def test_training_asks_for_the_first_values_only(tmp_path):
    tokens = np.array([[3, 4]], np.int32)
    encode = lambda some: np.array([[1.0, 2.0, 3.0]], np.float32)  # noqa: E731
    source = pool_texts(tokens, FeatureStore(tmp_path, (3,)), encode, lambda *_: None, trained=2)
    draw = Draw(np.random.default_rng(0), np.zeros(0, np.int64))
    assert source.rows(np.array([1, 0]), draw)["text_features"].tolist() == [[1, 2], [0, 0]]
    assert source.rows(np.array([1]))["text_features"].tolist() == [[1, 2, 3]]


def test_another_run_reads_only_what_is_new(tmp_path):
    pooled(tmp_path)
    source, asked = pooled(tmp_path, np.array([[9, 0, 0], [5, 0, 0]], np.int32))
    assert asked == [[[9]]]
    assert source.rows(np.array([1, 2]))["text_features"].tolist() == [[9, 1], [5, 1]]


def test_the_standardisation_is_that_of_the_catalogs_distinct_texts(tmp_path):
    pooled(tmp_path)
    source, _ = pooled(tmp_path, np.array([[5, 0, 0], [3, 4, 0], [5, 0, 0]], np.int32))
    mean, deviation = source.standardisation()
    assert mean.tolist() == [6.0, 1.5]  # of [5, 1] and [7, 2]
    assert deviation.tolist() == [1.0, 0.5]
    none, _ = pooled(tmp_path / "other", np.zeros((2, 3), np.int32))
    assert [part.tolist() for part in none.standardisation()] == [[0.0, 0.0], [1.0, 1.0]]
