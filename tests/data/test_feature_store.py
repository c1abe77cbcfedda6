import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from mmrec.data.feature_store import FeatureStore, digest


def entries(*numbers):
    """Returns the digests of the numbers, and values [E, 2, 3] filled with them."""
    return [digest(str(number)) for number in numbers], np.tile(np.float32(numbers)[:, None, None], (1, 2, 3))


def holds(store, *numbers):
    digests, values = entries(*numbers)
    places = store.places(digests)
    assert (places >= 0).all()
    np.testing.assert_array_equal(store.values[places], values)


def test_a_digest_depends_on_every_part_and_on_where_it_ends():
    assert digest(b"") == bytes.fromhex("af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc")
    digests = {digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("c", "ab"), digest("ab", "c", "")}
    assert len(digests) == 5
    assert digest("é") == digest("é".encode())


def test_what_was_appended_is_read_back_by_this_and_by_a_later_instance(tmp_path):
    store = FeatureStore(tmp_path / "deep" / "store", (2, 3))
    assert len(store) == 0
    assert store.values.shape == (0, 2, 3)
    store.append(*entries(1, 2))
    store.append(*entries(3))
    for one in (store, FeatureStore(tmp_path / "deep" / "store", (2, 3))):
        assert len(one) == 3
        holds(one, 3, 1, 2)
        assert one.places([digest("9"), digest("2")]).tolist() == [-1, 1]
        assert one.values.dtype == np.float32


def test_values_are_read_only(tmp_path):
    store = FeatureStore(tmp_path, (2, 3))
    store.append(*entries(1))
    with pytest.raises(ValueError, match="read-only"):
        store.values[0, 0, 0] = 5


def test_missing_are_the_distinct_digests_that_the_store_lacks_in_their_order(tmp_path):
    store = FeatureStore(tmp_path, (2, 3))
    store.append(*entries(1))
    digests, _ = entries(3, 1, 2, 3)
    assert store.missing(digests) == [digests[0], digests[2]]


def test_an_entry_is_stored_once_however_often_it_is_appended(tmp_path):
    # Regression: twice in one call, it took two places but counted one, so that later entries were misread.
    store = FeatureStore(tmp_path, (2, 3))
    store.append(*entries(1, 1, 2))
    store.append(*entries(2, 3))
    for one in (store, FeatureStore(tmp_path, (2, 3))):
        assert len(one) == 3
        assert len(one.values) == 3
        holds(one, 1, 2, 3)


def test_two_instances_see_what_the_other_adds(tmp_path):
    first, second = FeatureStore(tmp_path, (2, 3)), FeatureStore(tmp_path, (2, 3))
    first.append(*entries(1, 2))
    assert second.missing(entries(2, 4)[0]) == entries(4)[0]
    holds(second, 1, 2)
    second.append(*entries(3))
    first.append(*entries(3, 4))
    holds(first, 4, 3, 2, 1)
    assert second.missing(entries(3, 4)[0]) == []
    assert len(first) == len(second) == 4


@pytest.mark.parametrize("shape", [(3, 2, 3), (2, 3, 2), (2, 6)])
def test_values_of_another_shape_are_refused(tmp_path, shape):
    store = FeatureStore(tmp_path, (2, 3))
    with pytest.raises(ValueError, match=r"`values` must be \(2, 2, 3\). Received: \("):
        store.append(entries(1, 2)[0], np.zeros(shape))
    assert len(store) == 0


@pytest.mark.parametrize("name", ["values.bin", "digests.bin"])
@pytest.mark.parametrize("kept", range(0, 97, 7))
def test_a_file_cut_at_any_byte_leaves_the_whole_entries_and_takes_new_ones(tmp_path, name, kept):
    FeatureStore(tmp_path, (2, 3)).append(*entries(1, 2, 3))
    size = {"values.bin": 24, "digests.bin": 32}[name]
    assert os.path.getsize(tmp_path / name) == 3 * size
    kept = min(kept, 3 * size - 1)
    os.truncate(tmp_path / name, kept)
    store = FeatureStore(tmp_path, (2, 3))
    assert len(store) == kept // size
    holds(store, *range(1, 1 + kept // size))
    store.append(*entries(9, 1, 2))
    again = FeatureStore(tmp_path, (2, 3))
    assert len(again) == len(store)
    holds(again, 9, 1, 2)


def test_another_type_of_value_is_kept_as_such(tmp_path):
    store = FeatureStore(tmp_path, (2,), "uint8")
    store.append([digest("a")], np.array([[7, 255]]))
    assert store.values.tolist() == [[7, 255]]
    assert store.values.dtype == np.uint8
    assert os.path.getsize(tmp_path / "values.bin") == 2


WRITER = """
import sys
import numpy as np
from mmrec.data.feature_store import FeatureStore, digest
store = FeatureStore(sys.argv[1], (2, 50_000))
print("ready", flush=True)
for number in range(10_000):
    store.append([digest(str(number))], np.full((1, 2, 50_000), number))
"""


@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.25])
def test_a_process_killed_while_it_appends_leaves_a_valid_store(tmp_path, seconds):
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
    writer.stdout.readline()
    with pytest.raises(subprocess.TimeoutExpired):
        writer.wait(seconds)
    writer.send_signal(signal.SIGKILL)
    assert writer.wait() == -signal.SIGKILL
    writer.stdout.close()
    store = FeatureStore(tmp_path, (2, 50_000))
    count = len(store)
    digests = [digest(str(number)) for number in range(count)]
    assert store.places(digests).tolist() == list(range(count))
    assert (store.values == np.arange(count)[:, None, None]).all()
    store.append([digest("new")], np.full((1, 2, 50_000), -1))  # the lock is free, the rest is cut off
    again = FeatureStore(tmp_path, (2, 50_000))
    assert again.places([digest("new")]).tolist() == [count]
    assert (again.values[count] == -1).all()
    assert os.path.getsize(tmp_path / "values.bin") == (count + 1) * 400_000
    assert os.path.getsize(tmp_path / "digests.bin") == (count + 1) * 32
