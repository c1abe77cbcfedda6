import numpy as np

from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.latent import LatentText, LatentTextTower
from mmrec.modalities.text.latent_fit import fit_latent_text

# Two pairs of texts that share a word (2 and 5), and one without any; 4, 6 and 7 stand in one text alone.
TOKENS = np.array([[2, 3, 0], [2, 4, 0], [5, 6, 0], [5, 7, 3], [0, 0, 0]], np.int32)


def test_texts_that_share_a_rare_word_lie_near_each_other():
    actual = LatentText(*fit_latent_text(TOKENS, 9, 3, 0))(TOKENS).numpy()
    assert actual.shape == (5, 3)
    cosine = actual @ actual.T
    # Words 2, 3 and 5 weigh the same, and three dimensions hold all three: (2, 3), (2), (5), (5, 3).
    want = [[1, 0.7071, 0, 0.5], [0.7071, 1, 0, 0], [0, 0, 1, 0.7071], [0.5, 0, 0.7071, 1]]
    np.testing.assert_allclose(cosine[:4, :4], want, atol=1e-3)


def test_words_that_few_dimensions_leave_out_count_on_average():
    products = []
    for seed in range(300):
        actual = LatentText(*fit_latent_text(TOKENS, 9, 3, seed, singular=1))(TOKENS[:4]).numpy()
        products.append(actual @ actual.T)
    want = [[1, 0.7071, 0, 0.5], [0.7071, 1, 0, 0], [0, 0, 1, 0.7071], [0.5, 0, 0.7071, 1]]
    np.testing.assert_allclose(np.mean(products, axis=0), want, atol=0.15)
    only = LatentText(*fit_latent_text(TOKENS, 9, 1, 0, singular=1))(TOKENS[:4]).numpy()
    assert np.abs(only @ only.T - want).max() > 0.4  # one dimension alone does not know all three words


def test_a_text_without_words_of_the_vocabulary_is_zero():
    table, rarity = fit_latent_text(TOKENS, 9, 3, 0)
    assert not table[[0, 1, 4, 6, 7, 8]].any()
    assert not rarity[[0, 1, 4, 6, 7, 8]].any()
    assert not LatentText(table, rarity)(np.array([[0, 0], [4, 8]], np.int32)).numpy().any()


def test_the_order_of_words_and_the_padding_count_for_nothing():
    text = LatentText(*fit_latent_text(TOKENS, 9, 3, 0))
    np.testing.assert_allclose(text(np.array([[2, 3]])), text(np.array([[3, 2, 0, 0]])), atol=1e-6)


def test_equal_vectors_have_an_equal_digest():
    table, rarity = fit_latent_text(TOKENS, 9, 3, 0)
    digest = LatentText(table, rarity).digest()
    assert digest == LatentText(table.copy(), rarity.copy()).digest()
    assert digest not in (LatentText(table + 1, rarity).digest(), LatentText(table, rarity + 1).digest())


def test_a_text_is_as_long_as_the_dimensions_know_it():
    # Two words of equal rarity. The dimension covers the first alone: a text of both has 1 / sqrt(2) of its length.
    text = LatentText(np.array([[0], [2], [0]], np.float32), np.array([0, 2, 2], np.float32))
    np.testing.assert_allclose(text(np.array([[1, 0], [1, 2], [2, 0]])), [[1], [0.707107], [0]], atol=1e-6)


def test_the_tower_reads_the_first_dimensions_as_vectors_of_one_length():
    tower = LatentTextTower(TextConfig(latent_dim=2), dim=3)
    wide = np.array([[0.3, 0.4, 0.7], [0.06, 0.08, 0.1]], np.float32)
    present = np.array([True, True])
    vectors, is_there = tower({"text_features": wide, "text_present": present})
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    np.testing.assert_allclose(tower({"text_features": wide[:, :2], "text_present": present})[0], vectors, atol=1e-6)
    assert is_there.numpy().all()
