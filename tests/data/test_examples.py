import random
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from mmrec.config.data import CatalogConfig, InteractionsConfig, SplitConfig
from mmrec.config.retrieval import RetrievalConfig
from mmrec.data.context import EventContext
from mmrec.data.examples import Examples, OwnPart
from mmrec.data.features import FeatureSource, JoinedFeatures
from mmrec.data.interactions import load_interactions
from mmrec.data.splits import split
from mmrec.data.vocabulary import Vocabulary
from mmrec.modalities.audio.sounds import AudioFeatures
from mmrec.modalities.item_id.features import ItemIdFeatures
from mmrec.modalities.text.features import TextFeatures
from tests.catalogs import load_catalog
from tests.data.builders import make_histories


class NoFeatures(FeatureSource):
    def rows(self, rows, draw=None):
        return {}


class DrawnFeatures(FeatureSource):
    def rows(self, rows, draw=None):
        return {"drawn": draw.rng.random(len(rows))}


def examples(histories, features=None, items=30, max_length=4, batch_size=8, seed=0, **retrieval):
    settings = RetrievalConfig(**{"negatives": "in_batch"} | retrieval)
    return Examples(histories, features or NoFeatures(), items, max_length, batch_size, seed, settings)


def asked(batches):
    """Returns the queries of batches as sorted (visible item rows, right answer)."""
    queries = []
    for batch in batches:
        history, candidate = batch["rows"][batch["history"]], batch["rows"][batch["candidate"]]
        for (window, sees), positive in zip(batch["query"], batch["positive"], strict=True):
            queries.append((tuple(history[window, :sees].tolist()), int(candidate[positive])))
    return sorted(queries)


def random_user(rng, length):
    """Draws a user of distinct item rows, 1.., with baskets of one to three lines."""
    times = np.repeat(np.arange(length), rng.integers(1, 4, length))[:length]
    return [(row + 1, int(time)) for row, time in enumerate(times)]


def test_every_event_is_an_answer_to_what_came_strictly_before():
    histories = make_histories([(5, 1), (6, 2), (7, 2), (8, 3)], [], [(5, 9)])
    assert asked(examples(histories).epoch(0)) == [
        ((), 5),
        ((), 5),
        ((5,), 6),
        ((5,), 7),
        ((5, 6, 7), 8),
    ]


def test_a_long_history_is_cut_into_windows_that_see_at_least_half_of_the_longest():
    # L = 4: the first window has five answers; each later one two, the last of which sees four items.
    histories = make_histories([(row, row) for row in range(1, 9)])
    assert asked(examples(histories).epoch(0)) == [
        ((), 1),
        ((1,), 2),
        ((1, 2), 3),
        ((1, 2, 3), 4),
        ((1, 2, 3, 4), 5),
        ((3, 4, 5), 6),
        ((3, 4, 5, 6), 7),
        ((4, 5, 6, 7), 8),
    ]
    assert examples(histories).queries == 8


def test_a_basket_that_fills_a_window_is_no_answer_to_an_empty_history():
    histories = make_histories([(1, 0), *[(row, 1) for row in range(2, 9)]])
    # 2 to 5 see 1 in the first window; 6 to 8 are in windows whose basket leaves no room for earlier items.
    assert asked(examples(histories).epoch(0)) == [((), 1), ((1,), 2), ((1,), 3), ((1,), 4), ((1,), 5)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("max_length", [1, 2, 5, 8])
def test_a_query_sees_the_run_of_items_that_ends_right_before_its_basket(seed, max_length):
    rng = np.random.default_rng(seed)
    users = [random_user(rng, int(length)) for length in rng.integers(0, 40, 12)]
    shift = [100 * place for place in range(len(users))]  # so that an item row identifies the user
    users = [[(row + by, time) for row, time in user] for user, by in zip(users, shift, strict=True)]
    actual = asked(examples(make_histories(*users), items=2000, max_length=max_length, batch_size=5).epoch(0))
    answers = [answer for _, answer in actual]
    assert len(set(answers)) == len(answers)
    sees = dict(zip(answers, (history for history, _ in actual), strict=True))
    for user in users:
        for place, (answer, time) in enumerate(user):
            earlier = tuple(row for row, when in user if when < time)
            # Before the basket stands at most a stride of half the length, and the basket itself.
            basket = place - len(earlier)
            if answer not in sees:
                assert basket >= max_length - max(1, max_length // 2) + 1
                continue
            seen = sees[answer]
            assert len(seen) <= max_length
            assert seen == earlier[len(earlier) - len(seen) :]
            assert len(seen) >= min(len(earlier), max_length - max(1, max_length // 2) + 1 - basket)
            assert seen or not earlier


def test_candidates_are_the_distinct_answers_and_every_place_points_to_its_row():
    histories = make_histories([(5, 1), (6, 2), (5, 3)], [(7, 1), (6, 2)])
    (batch,) = examples(histories).epoch(0)
    assert batch["rows"].tolist() == [0, 5, 6, 7]
    assert batch["rows"][batch["candidate"]].tolist() == [5, 6, 7]
    order = np.argsort([len(row[row > 0]) for row in batch["history"]])  # the second user sees one item, the first two
    assert batch["rows"][batch["history"][order]].tolist() == [[7, 0], [5, 6]]
    assert asked([batch]) == [((), 5), ((), 7), ((5,), 6), ((5, 6), 5), ((7,), 6)]


def test_positive_pairs_are_all_positives_of_a_windows_user_among_the_candidates():
    first = [(row, row) for row in range(1, 9)]  # two of its windows may be in other batches
    histories = make_histories(first, [(9, 1), (2, 2), (2, 3)])
    for batch in examples(histories, batch_size=2).epoch(0):
        candidates = batch["rows"][batch["candidate"]].tolist()
        expected = set()
        for window, history in enumerate(batch["rows"][batch["history"]].tolist()):
            mine = {9, 2} if 9 in history else set(range(1, 9))
            expected |= {(window, place) for place, row in enumerate(candidates) if row in mine}
        assert len(batch["positive_pairs"]) == len(expected)
        assert {tuple(pair) for pair in batch["positive_pairs"].tolist()} == expected


def test_log_q_is_the_chance_that_an_item_is_among_the_answers_of_a_batch():
    # Four events in two windows: two queries per history, so batches of one history draw two answers.
    histories = make_histories([(1, 1), (1, 2), (2, 3)], [(1, 1)])
    batches = list(examples(histories, batch_size=1).epoch(0))
    log_q = {
        int(batch["rows"][place]): float(value)
        for batch in batches
        for place, value in zip(batch["candidate"], batch["log_q"], strict=True)
    }
    assert log_q[1] == pytest.approx(np.log(1 - 0.25**2), abs=1e-6)  # three of four events: 0.9375
    assert log_q[2] == pytest.approx(np.log(1 - 0.75**2), abs=1e-6)  # one of four: 0.4375
    assert batches[0]["log_q"].dtype == np.float32


def test_the_only_item_is_always_in_the_batch():
    (batch,) = examples(make_histories([(1, 1), (1, 2)])).epoch(0)
    assert batch["log_q"].tolist() == [pytest.approx(0.0, abs=1e-6)]


def test_where_the_whole_catalog_competes_rows_are_all_items_with_events_and_answers_point_behind_the_padding():
    histories = make_histories([(5, 1), (7, 2)], [(9, 1)])
    (batch,) = examples(histories, negatives="catalog").epoch(0)
    assert sorted(batch) == ["competing", "history", "positive", "query", "rows"]
    assert batch["competing"].tolist() == [3]
    assert batch["rows"].tolist() == [0, 5, 7, 9]
    assert sorted(batch["rows"][1:][batch["positive"]].tolist()) == [5, 7, 9]
    assert sorted(batch["rows"][batch["history"]].ravel().tolist()) == [0, 5]


def test_windows_of_similar_length_are_in_one_batch():
    users = [[(row, row) for row in range(1, length + 1)] for length in (2, 4, 2, 4, 2, 2)]
    widths = [batch["history"].shape for batch in examples(make_histories(*users), batch_size=3).epoch(0)]
    assert sorted(widths) == [(2, 3), (4, 1)]  # eight queries each


def same(one, other):
    return len(one) == len(other) and all(
        first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)
        for first, second in zip(one, other, strict=True)
    )


class Reminders:
    """An objective's own examples: items 9 and 5, whatever the batch, and two drawn numbers."""

    def __init__(self, name="chance"):
        self.name = name

    def epoch(self, rng, steps):
        for _ in range(steps):
            rows, drawn = np.array([9, 5]), rng.random(2)
            yield OwnPart(rows, lambda place, rows=rows, drawn=drawn: {"of": place(rows), self.name: drawn})


@pytest.mark.parametrize("negatives", ["sampled", "catalog"])
def test_an_objective_adds_items_behind_those_that_are_there_and_changes_no_draw(negatives):
    histories = make_histories([(5, 1), (7, 2)], [(7, 1), (8, 2)])
    settings = RetrievalConfig(negatives=negatives, negative_samples=2)

    def batches(*own):
        return list(Examples(histories, NoFeatures(), 30, 4, 1, 0, settings, own=own).epoch(0))

    for plain, more in zip(batches(), batches(Reminders()), strict=True):
        assert more["rows"][more["of"]].tolist() == [9, 5]
        assert more["rows"][: len(plain["rows"])].tolist() == plain["rows"].tolist()
        assert len(more["rows"]) == len(set(more["rows"])) <= len(plain["rows"]) + 2
        for name in plain.keys() - {"rows"}:
            np.testing.assert_array_equal(more[name], plain[name])
    assert same(batches(Reminders()), batches(Reminders()))


def test_arrays_of_objectives_have_names_of_their_own():
    histories, settings = make_histories([(5, 1), (7, 2)]), RetrievalConfig(negatives="catalog")
    with pytest.raises(ValueError, match=r"must be its own. Received: \['positive'\]"):
        next(Examples(histories, NoFeatures(), 30, 4, 1, 0, settings, own=[Reminders("positive")]).epoch(0))


@pytest.fixture
def many():
    rng = np.random.default_rng(0)
    return make_histories(*[random_user(rng, 9) for _ in range(20)])


def test_batches_follow_from_seed_and_epoch(many):
    def drawn(seed, epoch):
        return list(examples(many, DrawnFeatures(), seed=seed).epoch(epoch))

    again = examples(many, DrawnFeatures(), seed=1)
    list(again.epoch(5))  # epochs read before change nothing
    assert same(drawn(1, 2), list(again.epoch(2)))
    assert not same(drawn(1, 2), drawn(1, 3))
    assert not same(drawn(1, 2), drawn(2, 2))
    assert asked(drawn(1, 2)) == asked(drawn(2, 3))


def test_steps_count_the_batches_which_have_about_the_same_number_of_queries(many):
    one = examples(many, batch_size=7)
    sizes = [len(batch["query"]) for batch in one.epoch(0)]
    assert len(sizes) == one.steps
    assert max(sizes) - min(sizes) <= 5  # the most answers of one window
    assert sum(len(batch["query"]) for batch in one.epoch(0)) == one.queries


def test_the_dataset_runs_on_through_the_epochs_with_a_spec_that_fits_every_batch(many):
    tokens = TextFeatures(np.tril(np.ones((30, 6), np.int32))[:, :6])
    one = examples(many, JoinedFeatures({"text": tokens, "item_id": ItemIdFeatures(np.ones(31, np.int64))}), seed=3)
    data = one.dataset(first_epoch=1)
    assert data.element_spec["history"] == tf.TensorSpec([None, None], tf.int32)
    assert data.element_spec["query"] == tf.TensorSpec([None, 2], tf.int32)
    assert data.element_spec["text_tokens"] == tf.TensorSpec([None, None], tf.int32)
    assert data.element_spec["log_q"] == tf.TensorSpec([None], tf.float32)
    expected = [*one.epoch(1), *one.epoch(2)]
    assert same(list(data.take(2 * one.steps).as_numpy_iterator()), expected)


def test_the_spec_fits_recordings_of_any_length():
    frames = np.array([[1], [2], [3], [4]], np.float32)  # of items 1 to 4, each of 4 x 2 values
    recordings = AudioFeatures(np.concatenate([frames, np.ones((4, 8), np.float32)], axis=1), np.arange(-1, 4), 2, None)
    one = examples(make_histories([(1, 1), (2, 2)], [(3, 1), (4, 2)]), recordings, batch_size=1)
    data = one.dataset()
    assert data.element_spec["audio_mel"] == tf.TensorSpec([None, None, 2], tf.float32)
    actual = [batch["audio_mel"].shape for batch in data.take(one.steps).as_numpy_iterator()]
    assert sorted(actual) == [(3, 2, 2), (3, 4, 2)]


def test_changing_the_future_changes_no_query_before_it():
    rng = np.random.default_rng(1)
    users = [[(100 * user + row, time) for row, time in random_user(rng, 25)] for user in range(6)]
    early = {row for user in users for row, time in user if time < 8}
    changed = [[(row if time < 8 else 50 + row, time) for row, time in user] for user in users]
    one, other = (
        [query for query in asked(examples(make_histories(*part), items=600).epoch(0)) if query[1] in early]
        for part in (users, changed)
    )
    assert one == other
    assert len(one) > 60


def test_changing_a_line_of_a_basket_changes_no_query_for_the_other_lines():
    user = [(1, 0), (2, 1), (3, 1), (4, 1), (5, 2)]
    changed = [(9, 1) if event == (3, 1) else event for event in user]
    one, other = (asked(examples(make_histories(part)).epoch(0)) for part in (user, changed))
    assert one == [((), 1), ((1,), 2), ((1,), 3), ((1,), 4), ((1, 2, 3, 4), 5)]
    assert [query for query in other if query[1] in (1, 2, 4)] == [((), 1), ((1,), 2), ((1,), 4)]


def batches_of(folder, catalog, events):
    for name, rows in (("catalog", catalog), ("events", events)):
        pd.DataFrame(rows).to_csv(folder / f"{name}.csv", index=False)
    items = load_catalog(
        CatalogConfig(path=str(folder / "catalog.csv"), text=("title",), payload=()), ("text", "item_id")
    )
    vocabulary = Vocabulary(items.item_ids)
    histories = split(
        load_interactions(InteractionsConfig(path=str(folder / "events.csv")), vocabulary), SplitConfig()
    ).train
    titles = items.content["text"].columns["title"]
    tokens = np.array([[int(title.split()[1])] for title in titles], np.int32)  # the number in its text
    sources = {"text": TextFeatures(tokens), "item_id": ItemIdFeatures(histories.counts(vocabulary.items))}
    batches = list(
        Examples(
            histories, JoinedFeatures(sources), vocabulary.items, 6, 4, 0, RetrievalConfig(negatives="in_batch")
        ).epoch(0)
    )
    for batch in batches:
        ids = vocabulary.ids[batch["rows"][1:]]
        assert [f"i{token:02d}" for token in batch["text_tokens"][1:, 0]] == ids.tolist()
    return batches


@pytest.mark.parametrize("seed", range(2))
def test_shuffling_the_rows_of_both_files_changes_no_batch(tmp_path, seed):
    rng = np.random.default_rng(7)
    catalog = [{"item_id": f"i{item:02d}", "title": f"coat {item}"} for item in range(1, 31)]
    events = [
        {"user_id": f"u{rng.integers(15)}", "item_id": f"i{rng.integers(1, 31):02d}", "timestamp": rng.integers(40)}
        for _ in range(300)
    ]
    mixed = random.Random(seed)
    other = mixed.sample(catalog, len(catalog)), mixed.sample(events, len(events))
    assert other[0] != catalog
    assert same(batches_of(tmp_path, catalog, events), batches_of(tmp_path, *other))


def with_context(histories, event=None, negative=None):
    """Adds times, types and signs of the events to histories."""
    event = None if event is None else np.array(event, np.int32)
    negative = None if negative is None else np.array(negative)
    return replace(histories, context=EventContext(histories.time, event, ("", "buy", "view"), negative))


def test_each_prefix_finds_the_time_of_its_query_after_its_items():
    histories = with_context(make_histories([(5, 10), (6, 20), (7, 20), (8, 50)]), event=[1, 2, 1, 2])
    (batch,) = examples(histories).epoch(0)
    # The basket at 20 is the answer to a query at 20 after one item; the last event to one at 50 after three.
    assert batch["history_time"].tolist() == [[10, 20, 20, 50]]
    assert batch["history_event"].tolist() == [[1, 2, 1]]
    assert sorted({int(sees) for _, sees in batch["query"]}) == [0, 1, 3]


def test_padding_has_neither_time_nor_type_and_later_windows_begin_with_what_they_see():
    histories = with_context(make_histories([(row, 10 * row) for row in range(1, 7)], [(9, 3)]), event=[1] * 6 + [2])
    batches = list(examples(histories, max_length=2, batch_size=99).epoch(0))
    actual = {}
    for batch in batches:
        for history, time, event in zip(batch["history"], batch["history_time"], batch["history_event"], strict=True):
            actual[tuple(batch["rows"][history].tolist())] = time.tolist(), event.tolist()
    assert actual[1, 2] == ([10, 20, 30], [1, 1])
    assert actual[4, 5] == ([40, 50, 60], [1, 1])
    time, event = actual[0, 0]  # a window that sees nothing: only the time of its query
    assert (time[0], np.isnan(time[1:]).all(), event) == (3, True, [0, 0])


def test_the_spec_of_the_dataset_fits_batches_with_context(many):
    many = with_context(many, event=np.ones(len(many.time)))
    one = examples(replace(many, weight=np.arange(1.0, len(many.time) + 1)), batch_size=7)
    data = one.dataset()
    assert data.element_spec["history_time"] == tf.TensorSpec([None, None], tf.float64)
    assert data.element_spec["history_event"] == tf.TensorSpec([None, None], tf.int32)
    assert data.element_spec["weight"] == tf.TensorSpec([None], tf.float32)
    assert len(list(data.take(one.steps))) == one.steps


def test_negative_events_are_seen_but_neither_answers_nor_counted_as_positives():
    histories = make_histories([(5, 1), (6, 2), (7, 3)], [(6, 1), (8, 2)])
    histories = with_context(histories, negative=[False, True, False, False, False])
    (batch,) = examples(histories).epoch(0)
    assert asked([batch]) == [((), 5), ((), 6), ((5, 6), 7), ((6,), 8)]
    candidates = batch["rows"][batch["candidate"]]
    likes = {(window, int(candidates[place])) for window, place in batch["positive_pairs"].tolist()}
    assert sorted(item for _, item in likes) == [5, 6, 7, 8]  # 6 only by the second user


def test_an_item_with_negative_events_only_is_read_and_competes_in_the_whole_catalog():
    histories = with_context(make_histories([(5, 1), (6, 2), (7, 3)]), negative=[False, True, False])
    (batch,) = examples(histories, negatives="catalog").epoch(0)
    assert batch["rows"].tolist() == [0, 5, 6, 7]
    assert batch["rows"][batch["history"]].tolist() == [[5, 6]]
    assert sorted(batch["rows"][1:][batch["positive"]].tolist()) == [5, 7]


@pytest.mark.parametrize("scale", [1e-300, 1.0, 4e307])
def test_weights_near_the_limits_of_float_keep_their_ratio(scale):
    # Regression: the mean became infinite and all weights 0.
    histories = replace(make_histories([(5, 0), (6, 1), (7, 2), (8, 3)]), weight=scale * np.array([1.0, 4.0, 0.0, 3.0]))
    (batch,) = examples(histories).epoch(0)
    np.testing.assert_allclose(sorted(batch["weight"]), [0.0, 0.5, 1.5, 2.0], rtol=1e-6)


def test_weights_have_a_mean_of_one_over_the_training_answers():
    histories = make_histories([(5, 1), (6, 2), (7, 3)], [(8, 1)])
    histories = replace(histories, weight=np.array([1.0, 4.0, 0.0, 3.0]))
    (batch,) = examples(histories).epoch(0)
    answers = batch["rows"][batch["candidate"]][batch["positive"]].tolist()
    assert dict(zip(answers, batch["weight"].tolist(), strict=True)) == {5: 0.5, 6: 2.0, 7: 0.0, 8: 1.5}
    assert batch["weight"].dtype == np.float32


def test_each_history_has_the_attributes_of_its_user():
    histories = make_histories([(5, 1)], [], [(6, 1), (7, 2)])
    users = {"user_number": np.array([[0.5], [1.5], [2.5]], np.float32)}
    one = Examples(histories, NoFeatures(), 30, 4, 8, 0, RetrievalConfig(negatives="in_batch"), users)
    (batch,) = one.epoch(0)
    windows = {
        float(number): row.tolist() for number, row in zip(batch["user_number"][:, 0], batch["history"], strict=True)
    }
    assert sorted(windows) == [0.5, 2.5]
    assert windows[0.5] == [0]
