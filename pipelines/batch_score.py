"""Scores a file with an export on any runner of Apache Beam, which gets the options that are not known here.

    python -m pipelines.batch_score EXPORT --input F --output DIR [--task embed] [--k 10] [--workers 2]
        [--runner=FlinkRunner --flink_master=HOST:8081 ...]

Without `--runner` the job runs here. Every machine of a runner must find export, input and output under the same paths,
and have mmrec installed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import mmrec


def main(arguments: Sequence[str]) -> dict:
    """Runs it; returns the content of score.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("export_dir", metavar="EXPORT")
    parser.add_argument("--input", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--task", default="recommend")
    for name, default in (("k", 10), ("workers", 1), ("batch_size", 256), ("shard_rows", 20_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--media_dir")
    options, beam_options = parser.parse_known_args(arguments)
    return mmrec.score(**vars(options), beam_options=beam_options)


if __name__ == "__main__":
    try:
        for name, value in main(sys.argv[1:]).items():
            print(f"{name:22} {value}")
    except mmrec.InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
