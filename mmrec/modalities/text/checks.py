"""What `mmrec check` reports about texts."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from mmrec.data.catalog import Catalog
from mmrec.data.content import ColumnContent
from mmrec.data.findings import counted, shares
from mmrec.errors import InputError
from mmrec.modalities.checks import Audit, Checks, Cost, spread
from mmrec.modalities.text.audit import audit_texts, text_findings
from mmrec.modalities.text.vocabulary import learn_text_encoder

if TYPE_CHECKING:
    from mmrec.modalities.text.modality import TextModality

_READ = 2000  # items whose texts are read unless all are


class TextChecks(Checks):
    """Reads texts, all or a sample."""

    probed = 5000

    def caches(self) -> bool:
        return self.settings.encoder == "pretrained" and self.settings.trainable == "none"

    def coverage(self, content: ColumnContent) -> dict[str, float]:
        filled = {
            column: float(np.mean([bool(text.strip()) for text in texts])) for column, texts in content.columns.items()
        }
        return {f"{self.name} {column}": share for column, share in filled.items()}

    def audit(self, catalog: Catalog, deep: bool, user_ids: Collection[str]) -> Audit:
        every = np.arange(len(catalog))
        read = every if deep else spread(every, _READ)
        some = catalog.take(read)
        columns = some.content[self.name].columns
        try:
            encoder = learn_text_encoder(self.settings, columns)
        except InputError as error:
            return Audit("texts", read, every, {}, errors=dict.fromkeys(error.messages, "unusable_vocabulary"))
        seen = audit_texts(some, columns, user_ids, encoder)
        facts = seen.facts()
        lines = [
            ("texts", counted({name: count for name, count in facts.items() if isinstance(count, int)})),
            ("languages", shares(seen.languages, 5) or "no text"),
            ("scripts", shares(seen.scripts, 5) or "no letters"),
            ("cut texts", shares(seen.cut)),
        ]
        return Audit("texts", read, every, facts, text_findings(seen, some), lines)

    def cost(self, modality: TextModality, catalog: Catalog, usable: np.ndarray | None) -> Cost:
        tokens = sum(self.settings.limits(list(catalog.content[self.name].columns)))
        memory = {"text_tokens": 4 * (len(catalog) + 1) * tokens}
        return Cost(memory_bytes=memory, beside_dim=modality.fitted_dim)
