"""The signature `embed_item`: embeds items, in the catalog or not, from their raw fields."""

from __future__ import annotations

from mmrec import schema
from mmrec.export.signatures.signature import Signature


class EmbedItem(Signature):
    """Embeds items, and reports what was wrong with their raw fields.

    A missing value is "", for a number NaN, for a vector (float32 [B, F]) a row with a value that is not finite.
    """

    name = schema.EMBED_ITEM
    client_call = "shop.embed_items(table)"

    def inputs(self):
        return self.serving.model.item_inputs

    def __call__(self, **raw):
        model = self.serving.model
        embedded = model.embed(raw)
        return {"embedding": embedded["vector"][:, : model.dim], "status": embedded["status"]}

    def example(self, sample):
        return {name: sample.item[name] for name in self.inputs()}
