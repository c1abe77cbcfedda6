import numpy as np
import pytest

from mmrec.errors import InputError
from mmrec.evaluation.ranking import batch_size, embedding_scorer, rank
from tests.evaluation.worlds import make_queries, random_queries


def scorer_of(rows):
    matrix = np.array(rows, np.float32)
    return lambda queries: matrix[queries]


def test_a_rank_is_one_plus_the_better_items():
    scores = scorer_of([[9, 0.4, 0.1, 0.3, 0.2]])
    ranking = rank(scores, make_queries([[1, 2, 3, 4]]), 4)
    assert ranking.ranks.values.tolist() == [1, 4, 2, 3]


def test_ties_count_against_the_model():
    scores = scorer_of([[0, 5, 5, 5, 1], [0, 1, 5, 1, 1]])
    ranking = rank(scores, make_queries([[1], [4]]), 4)
    assert ranking.ranks.values.tolist() == [3, 4]


def test_a_constant_scorer_ranks_every_answer_last():
    ranking = rank(scorer_of(np.full((2, 6), 0.5)), make_queries([[1], [2, 5]], seen=[[], [3]]), 5)
    assert ranking.ranks.values.tolist() == [5, 4, 4]


def test_excluded_items_neither_count_nor_appear():
    scores = scorer_of([[0, 0.9, 0.8, 0.7, 0.6, 0.5]])
    ranking = rank(scores, make_queries([[4]], seen=[[1, 3]]), 5, top_k=5)
    assert ranking.ranks.values.tolist() == [2]
    assert ranking.top.tolist() == [[2, 4, 5, 0, 0]]


def test_the_padding_row_never_competes_even_when_it_is_nan():
    ranking = rank(scorer_of([[np.nan, 0.2, 0.1]]), make_queries([[2]]), 2, top_k=1)
    assert ranking.ranks.values.tolist() == [2]
    assert ranking.top.tolist() == [[1]]


def test_top_lists_break_ties_by_row_and_end_in_zero():
    scores = scorer_of([[0, 1, 3, 1, 3], [0, 2, 2, 2, 2]])
    ranking = rank(scores, make_queries([[1], [1]], seen=[[2], [3, 4]]), 4, top_k=3)
    assert ranking.top.tolist() == [[4, 1, 3], [1, 2, 0]]


def test_an_answer_at_minus_infinity_comes_last_and_is_never_shown():
    scores = scorer_of([[0, -np.inf, 0.3, 0.2, np.inf]])
    ranking = rank(scores, make_queries([[1, 4]], seen=[[2]]), 4, top_k=4)
    assert ranking.ranks.values.tolist() == [3, 1]
    assert ranking.top.tolist() == [[4, 3, 0, 0]]


@pytest.mark.parametrize("most_relevant", [1, 3, 40])
def test_ranks_and_lists_equal_a_full_sort(most_relevant):
    items, top_k = 90, 4
    queries, scores = random_queries(np.random.default_rng(most_relevant), 60, items, most_relevant)
    ranking = rank(lambda rows: scores[rows], queries, items, top_k, batch=7)
    for query in range(60):
        allowed = np.setdiff1d(np.arange(1, items + 1), queries.seen[query])
        ordered = np.sort(scores[query, allowed])[::-1].tolist()
        last_of_level = {score: place + 1 for place, score in enumerate(ordered)}
        assert ranking.ranks[query].tolist() == [last_of_level[s] for s in scores[query, queries.relevant[query]]]
        best = sorted(allowed.tolist(), key=lambda row: (-scores[query, row], row))[:top_k]
        assert ranking.top[query].tolist() == best


def test_each_answer_of_a_query_is_counted_on_its_own():
    scores = scorer_of([[0, 5, 4, 3, 2, 1], [0, 1, 2, 2, 4, 5], [0, 7, 7, 7, 0, 0]])
    ranking = rank(scores, make_queries([[1, 3, 5], [3], [2, 4]], seen=[[2], [5], []]), 5)
    assert ranking.ranks.values.tolist() == [1, 2, 4, 3, 3, 5]


def test_a_query_without_an_answer_has_no_rank_and_does_not_shift_the_others():
    scores = scorer_of([[0, 1, 2, 3]] * 4)
    ranking = rank(scores, make_queries([[], [1], [], [2, 3]]), 3)
    assert [ranking.ranks[query].tolist() for query in range(4)] == [[], [3], [], [2, 1]]
    assert rank(scores, make_queries([[], []]), 3).ranks.values.tolist() == []


@pytest.mark.parametrize("items", [1, 2, 62, 63, 64, 65, 127, 128, 300])
def test_the_worst_of_any_number_of_items_comes_last_and_the_best_first(items):
    scores = np.arange(items + 1, dtype=np.float32)[None]
    assert rank(lambda queries: scores, make_queries([[1]]), items).ranks.values.tolist() == [items]
    assert rank(lambda queries: scores, make_queries([[items]]), items).ranks.values.tolist() == [1]


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("most_relevant", [1, 2, 9, 40])
def test_ranks_equal_a_plain_count_with_ties_exclusions_and_infinities(most_relevant, threads):
    generator, items = np.random.default_rng(most_relevant), 130
    queries, scores = random_queries(generator, 100, items, most_relevant)
    scores[generator.random(scores.shape) < 0.1] = -np.inf
    scores[generator.random(scores.shape) < 0.1] = np.inf
    before = scores.copy()
    ranking = rank(lambda rows: scores[rows[0] : rows[-1] + 1], queries, items, batch=33, threads=threads)
    for query in range(100):
        rivals = np.delete(before[query], [0, *queries.seen[query]])
        expected = [int((rivals >= before[query, row]).sum()) for row in queries.relevant[query]]
        assert ranking.ranks[query].tolist() == expected
    assert np.array_equal(scores, before)  # the scorer returned a view of its own array


def test_a_batch_gives_what_single_queries_give():
    queries, scores = random_queries(np.random.default_rng(0), 30, 40, 5)
    together = rank(lambda rows: scores[rows], queries, 40, 5, batch=30)
    alone = rank(lambda rows: scores[rows], queries, 40, 5, batch=1)
    assert together.ranks.values.tolist() == alone.ranks.values.tolist()
    assert together.top.tolist() == alone.top.tolist()


def test_the_scorers_own_array_is_left_as_it_was():
    matrix = np.array([[7, 1, 2, 3]], np.float32)
    rank(lambda queries: matrix, make_queries([[1]], seen=[[3]]), 3)
    assert matrix.tolist() == [[7, 1, 2, 3]]


def test_scores_asked_at_once_stay_within_64_megabytes():
    assert batch_size(items=999_999) == 16  # 16 x 1,000,000 x 4 bytes = 64.0e6
    assert batch_size(items=999_999, batch=500) == 16
    assert batch_size(items=99, batch=500) == 500
    assert batch_size(items=100_000_000) == 1


def test_the_scorer_is_never_asked_for_more_than_the_bound():
    asked = []

    def scorer(queries):
        asked.append(queries.tolist())
        return np.zeros((len(queries), 11), np.float32)

    rank(scorer, make_queries([[1]] * 7), 10, most_bytes=4 * 11 * 3)  # three queries of ten items and padding
    assert asked == [[0, 1, 2], [3, 4, 5], [6]]


def test_embeddings_are_scored_by_dot_product():
    table = np.array([[0, 0], [1, 0], [0, 1]], np.float32)
    scores = embedding_scorer(np.array([[2, 3], [4, 5]], np.float32), table)(np.array([1]))
    assert scores.tolist() == [[0, 4, 5]]


def test_nan_scores_are_refused_with_their_place():
    with pytest.raises(InputError, match="NaN for query 1, row 2"):
        rank(scorer_of([[0, 1, 2], [0, 1, np.nan]]), make_queries([[1], [1]]), 2)


def test_the_first_nan_is_named_whichever_thread_meets_it():
    scores = np.zeros((20, 3), np.float32)
    scores[[13, 19], 1] = np.nan
    with pytest.raises(InputError, match="NaN for query 13, row 1"):
        rank(lambda queries: scores[queries], make_queries([[1]] * 20), 2, batch=10, threads=3)


@pytest.mark.parametrize("bad", [[np.nan, 0], [np.inf, 0], [0, np.nan]])  # 0 x inf is NaN
def test_embeddings_whose_products_are_nan_are_refused(bad):
    table = np.array([[0, 0], [1, 1], [0, 2]], np.float32)
    table[1] = bad
    query = np.array([[0, 1], [0, 1]], np.float32)
    with pytest.raises(InputError, match="NaN for query 0, row 1"), np.errstate(all="ignore"):
        rank(embedding_scorer(query, table), make_queries([[1], [2]]), 2)


def test_embeddings_whose_products_are_infinite_are_ranked():
    table = np.array([[0, 0], [3e38, 0], [1, 1], [-3e38, 0]], np.float32)
    with np.errstate(over="ignore"):
        ranking = rank(embedding_scorer(np.array([[2, 0]], np.float32), table), make_queries([[1, 2, 3]]), 3)
    assert ranking.ranks.values.tolist() == [1, 2, 3]


def test_scores_of_the_wrong_shape_are_refused():
    with pytest.raises(InputError, match=r"\[queries, items \+ 1\] = \[1, 4\]. Received: \[1, 3\]"):
        rank(scorer_of([[0, 1, 2]]), make_queries([[1]]), 3)


def test_an_answer_that_is_excluded_is_refused():
    with pytest.raises(InputError, match="item row 2 in both for query 1"):
        rank(scorer_of([[0, 1, 2]] * 2), make_queries([[1], [1, 2]], seen=[[2], [2]]), 2)
