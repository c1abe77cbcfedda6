"""What do photos add to an epoch?

On the small sample shop, at 96 px with ResNet50: the seconds of an epoch of text and id (`without`), and of the same
with photos: with a frozen backbone's cached features (`cached`), with four augmented versions of each (`cached_views`),
and with a backbone that trains its last stage (`top`) or whole (`all`) on at most 8 or 32 photos per step. Features are
prepared once, outside the times; `prepare_seconds` says what that took, texts included, and what it takes when the
cache has them. Batch making counts. Variants take turns, and a value is the median over them; what trains a backbone is
timed over a few steps, which stand for all of an epoch. `ratio:epoch_with_cached_images` is `cached` over `without`,
the median of the turns' ratios.

    python -m benchmarks.image_cost [--json FILE] [--quick]

`--quick` takes the tiny shop at 32 px with MobileNet, fewer turns, no views and no `all`: it shows that it runs.
"""

from __future__ import annotations

import contextlib
import io
import statistics
import tempfile
import time

from benchmarks.common import Rows  # isort: skip  (before TensorFlow)
import mmrec  # isort: skip
import tf_keras

from mmrec.jobs.build import build_model
from mmrec.jobs.prepare import examples, prepare
from mmrec.jobs.resolve import resolve
from mmrec.jobs.tables import load_tables
from mmrec.modalities.prepared import Prepared
from mmrec.training.optimizers import build_optimizer

WITH, WITHOUT = ["image", "text", "item_id"], ["text", "item_id"]
VIEWS = {"item.image.augmentation": {"rotation_range": 10.0, "zoom_range": 0.1}, "item.image.views": 4}


class Variant:
    """A model and its batches, ready for timed steps.

    Args:
      config: the settings.
      steps: most steps of a turn.
    """

    def __init__(self, config: mmrec.Config, steps: int):
        self.tables = load_tables(config)
        self._config = config = resolve(config, self.tables)
        self.prepared, self.prepare_seconds = self.prepare()
        self._batches = examples(config, self.tables, self.prepared.features)
        self._steps = min(steps, self._batches.steps)
        self._model = build_model(config, self.prepared, self.tables)
        self._model.compute_loss(next(self._batches.epoch(0)))
        optimizer = build_optimizer(config.training, self._batches.steps, self.prepared.pretrained_variables)
        self._model.compile(optimizer=optimizer)
        self._model.optimizer.build(self._model.trainable_variables)
        self._turn = 0
        self.epoch_seconds()  # traces

    def prepare(self) -> tuple[Prepared, float]:
        """Prepares the features, and returns them with the seconds that it took."""
        begin = time.perf_counter()
        with contextlib.redirect_stderr(io.StringIO()):
            return prepare(self._config, self.tables), time.perf_counter() - begin

    def epoch_seconds(self) -> float:
        """Takes the steps of a turn; returns the seconds that an epoch of steps like its second to last takes."""
        self._turn += 1
        clock = _StepEnds()
        batches = self._batches.dataset(self._turn)
        self._model.fit(batches, steps_per_epoch=self._steps, epochs=1, verbose=0, callbacks=[clock])
        return (clock.ends[-1] - clock.ends[0]) / (self._steps - 1) * self._batches.steps


class _StepEnds(tf_keras.callbacks.Callback):
    """Notes when each step ended; the first one pays for the start of a training, not of an epoch."""

    def __init__(self):
        super().__init__()
        self.ends = []

    def on_train_batch_end(self, batch, logs=None):
        self.ends.append(time.perf_counter())


def variants(quick: bool) -> dict[str, dict]:
    """Returns what is changed, by name of the variant."""
    shops = {
        "without": {"item.modalities": WITHOUT},
        "cached": {"item.modalities": WITH},
    }
    if not quick:
        shops["cached_views"] = {"item.modalities": WITH, **VIEWS}
    for trainable in ("top",) if quick else ("top", "all"):
        for cap in (8,) if quick else (8, 32):
            change = {"item.image.trainable": trainable, "training.images_per_step": cap}
            shops[f"{trainable}_{cap}_per_step"] = {"item.modalities": WITH, **change}
    return shops


def main() -> None:
    rows = Rows(__doc__)
    quick = rows.options.quick
    turns, few = (3, 3) if quick else (7, 5)
    with tempfile.TemporaryDirectory() as folder:
        path = mmrec.write_sample_shop(f"{folder}/shop", "tiny" if quick else "small")
        backbone, size = ("mobilenet", 32) if quick else ("resnet50", 96)
        image = {"item.image.backbone": backbone, "item.image.size": size, "item.image.weights": None}
        base = mmrec.Config.load(path, **{"data.cache_dir": f"{folder}/cache"}, **image)
        ready = {}
        for name, change in variants(quick).items():
            trains = "item.image.trainable" in change
            ready[name] = Variant(mmrec.Config.load(base, **change), few if trains else 1_000_000)
        cached = ready["cached"]
        photos = int((~cached.tables.catalog.missing["image"]).sum())
        rows.add("prepare_seconds", cached.prepare_seconds, "s", photos=photos)
        rows.add("prepare_seconds:already_cached", cached.prepare()[1], "s")
        seconds = {name: [] for name in ready}
        for turn in range(turns):  # by turns: what slows the machine down for a while slows all variants down
            for name, variant in ready.items():
                if turn < (2 if "per_step" in name else turns):
                    seconds[name].append(variant.epoch_seconds())
        for name, each in seconds.items():
            rows.add(f"epoch_seconds:{name}", statistics.median(each), "s", turns=each)
        for name in [name for name in ready if name.startswith("cached")]:
            ratios = [one / none for one, none in zip(seconds[name], seconds["without"], strict=True)]
            rows.add(f"ratio:epoch_with_{name.replace('cached', 'cached_images')}", statistics.median(ratios), "times")
    rows.write()


if __name__ == "__main__":
    main()
