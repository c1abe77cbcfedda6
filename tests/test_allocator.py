from mmrec.allocator import keep_freed_memory

PAGES_OF_TEN_ARRAYS = """
import resource, numpy as np
from mmrec.allocator import keep_freed_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        np.ones(2**21)  # 16 MiB: 4,096 pages of 4 KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
fresh = faults()
if keep_freed_memory():
    faults()
    print(fresh, faults())
"""


def test_what_is_freed_is_used_again_without_asking_the_system(python):
    code, out, errors = python(PAGES_OF_TEN_ARRAYS)
    assert code == 0, errors
    if out:  # the C library can be told
        fresh, kept = map(int, out.split())
        assert kept < fresh / 4


def test_a_c_library_without_the_setting_is_left_alone(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert keep_freed_memory() is False
