import numpy as np

from mmrec.data.latent_text import fit_latent_text
from mmrec.towers.latent_text import LatentText

# Two pairs of texts that share a word (2 and 5), and one without any; 4, 6 and 7 stand in one text alone.
TOKENS = np.array([[2, 3, 0], [2, 4, 0], [5, 6, 0], [5, 7, 3], [0, 0, 0]], np.int32)


def test_texts_that_share_a_rare_word_lie_near_each_other():
    found = LatentText(fit_latent_text(TOKENS, 9, 3, 0))(TOKENS).numpy()
    assert found.shape == (5, 3)
    np.testing.assert_allclose(np.linalg.norm(found[:4], axis=1), 4, atol=1e-5)
    cosine = found @ found.T / 16
    # Words 2, 3 and 5 weigh the same, and three dimensions hold all three: (2, 3), (2), (5), (5, 3).
    want = [[1, 0.7071, 0, 0.5], [0.7071, 1, 0, 0], [0, 0, 1, 0.7071], [0.5, 0, 0.7071, 1]]
    np.testing.assert_allclose(cosine[:4, :4], want, atol=1e-3)


def test_a_text_without_known_words_is_zero():
    table = fit_latent_text(TOKENS, 9, 3, 0)
    assert not table[[0, 1, 4, 6, 7, 8]].any()
    assert not LatentText(table)(np.array([[0, 0], [4, 8]], np.int32)).numpy().any()


def test_the_order_of_words_and_the_padding_count_for_nothing():
    text = LatentText(fit_latent_text(TOKENS, 9, 3, 0))
    np.testing.assert_allclose(text(np.array([[2, 3]])), text(np.array([[3, 2, 0, 0]])), atol=1e-6)


def test_equal_vectors_have_an_equal_digest():
    table = fit_latent_text(TOKENS, 9, 3, 0)
    assert LatentText(table).digest() == LatentText(table.copy()).digest()
    assert LatentText(table).digest() != LatentText(table + 1).digest()
