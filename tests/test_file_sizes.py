"""Files stay short enough to be read at once."""

from pathlib import Path
from statistics import median

import mmrec

PACKAGE = Path(mmrec.__file__).parent
LINES = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}


def test_no_file_is_longer_than_350_lines():
    assert {str(path.relative_to(PACKAGE)): lines for path, lines in LINES.items() if lines > 350} == {}


def test_half_of_the_files_have_at_most_95_lines():
    assert len(LINES) > 200
    assert median(lines for lines in LINES.values() if lines) <= 95  # empty files would make it easy


def test_jobs_are_together_shorter_than_1200_lines():
    jobs = [lines for path, lines in LINES.items() if path.parent == PACKAGE / "jobs"]
    assert len(jobs) > 5
    assert sum(jobs) < 1200
