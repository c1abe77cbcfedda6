"""An example of a modality of your own, in one folder outside mmrec: the smell of items."""

from tests.toys.smell.modality import Smell as Smell
