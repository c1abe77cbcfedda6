"""The name under which a catalog knows how photos become what the graph reads."""

from mmrec.preprocess.transcode import graph_readable

__all__ = ["graph_readable"]
