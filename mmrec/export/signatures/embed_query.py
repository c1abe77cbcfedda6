"""The signature `embed_query`: embeds histories."""

from __future__ import annotations

from mmrec import schema
from mmrec.export.signatures.signature import LISTS_OF_STRINGS, Signature


class EmbedQuery(Signature):
    """Embeds histories (string [B, L]) as queries (float32 [B, D])."""

    name = schema.EMBED_QUERY
    client_call = 'shop.embed_queries([["id1", "id2"]])'

    def inputs(self):
        return {"history": LISTS_OF_STRINGS, **self.serving.model.context_inputs}

    def __call__(self, *, history, **context):
        return {"embedding": self.serving.query(self.serving.row_of.lookup(history), context)}

    def example(self, sample):
        return {"history": sample.history, **sample.context}
