"""Makes `graph_readable` available under its earlier path `mmrec.data.transcode`."""

from mmrec.preprocess.transcode import graph_readable

__all__ = ["graph_readable"]
