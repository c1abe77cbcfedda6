"""What `mmrec check` reports about recordings."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from mmrec.data.catalog import Catalog
from mmrec.data.findings import counted
from mmrec.modalities.audio.audit import audit_sounds, sound_findings
from mmrec.modalities.checks import Audit, Checks, spread


class AudioChecks(Checks):
    """Opens recordings."""

    probed = 32

    def caches(self) -> bool:
        return True

    def audit(self, catalog: Catalog, deep: bool, user_ids: Collection[str]) -> Audit | None:
        named = np.flatnonzero(~catalog.content[self.name].missing)
        if not len(named):
            return None
        opened = named if deep else spread(named, self.probed)
        some = catalog.take(opened)
        seen = audit_sounds(some.content[self.name], self.settings)
        facts, stops = seen.facts(), self.config.data.catalog.on_missing_audio == "error"
        findings, lines = sound_findings(seen, some, stops), [("recordings", counted(facts))]
        return Audit("recordings", opened, named, facts, findings, lines)
