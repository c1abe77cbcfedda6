"""What items smell of, as a modality of one's own: one folder outside mmrec."""

from tests.toys.smell.modality import Smell as Smell
