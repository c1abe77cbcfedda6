"""Fits token vectors on the catalog's texts by latent semantic analysis."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from mmrec.data.factors import SINGULAR, sketch


def fit_latent_text(
    tokens: np.ndarray, vocabulary: int, rank: int, seed: int, exact: int = 0, singular: int = SINGULAR
) -> tuple[np.ndarray, np.ndarray]:
    """Fits a vector for each token, so that texts that share rare words lie near each other.

    The first dimensions are those of the singular value decomposition, those after the first 512 or F / 2 random, see
    `sketch`. A text is the sum of its tokens' vectors, divided by the length that the sum would have in all dimensions,
    the root of the sum of squared rarities: a server computes it from the tokens. So texts whose words the dimensions
    hardly cover are near zero, not near each other.

    Args:
      tokens: int32 [N, T] of the items in row order; 0 pads.
      vocabulary: V, the number of tokens.
      rank: F, width of the vectors.
      seed: of the randomness.
      exact: fewest dimensions of the singular value decomposition, where F is more.
      singular: see `singular_vectors`.

    Returns:
      float32 [V, F], the vectors, and float32 [V], the rarities (inverse document frequencies); zeros for the padding,
      and for tokens that fewer than two texts or all texts have.

    Source: Deerwester et al., JASIS 1990, doi:10.1002/(SICI)1097-4571(199009)41:6<391::AID-ASI1>3.0.CO;2-9, with
      inverse document frequencies; counts are not damped, which keeps a text linear in its tokens.
    """
    row = np.repeat(np.arange(len(tokens)), tokens.shape[1])
    ones = np.ones(tokens.size, np.float32)
    counts = sparse.csr_array((ones, (row, tokens.ravel())), shape=(len(tokens), vocabulary))  # adds up equal pairs
    texts = np.bincount(counts.indices, minlength=vocabulary)  # that have the token
    rarity = np.log(len(tokens) / np.maximum(texts, 1)).astype(np.float32)
    rarity[(texts < 2) | (np.arange(vocabulary) == 0)] = 0
    weighted = counts @ sparse.diags_array(rarity)
    length = np.sqrt(weighted.multiply(weighted).sum(axis=1))
    weighted = sparse.diags_array((1 / np.maximum(length, 1e-9)).astype(np.float32)) @ weighted
    return rarity[:, np.newaxis] * sketch(weighted.tocsr(), rank, seed, exact, singular), rarity
