import numpy as np

from mmrec.index.item_table import ItemTable

VECTORS = np.array([[0, 0, 0], [1, 2, 3], [4, 5, 6]], np.float32)


def test_vectors_are_the_scored_values_followed_by_the_read_ones():
    table = ItemTable.split(VECTORS, read_dim=1)
    assert table.scored.tolist() == [[0, 0], [1, 2], [4, 5]]
    assert table.read.tolist() == [[0], [3], [6]]
    assert table.scored.flags.c_contiguous  # matrix products are faster with it
    assert len(table) == 3
    np.testing.assert_array_equal(table.vectors(), VECTORS)


def test_most_models_read_only_the_scored_values():
    table = ItemTable.of(VECTORS)
    assert table.read.shape == (3, 0)
    assert table.vectors() is VECTORS
    assert ItemTable.split(VECTORS, read_dim=0).read.shape == (3, 0)
