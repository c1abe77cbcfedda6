"""The modalities by name."""

from mmrec.jobs.modalities.attributes import AttributesModality
from mmrec.jobs.modalities.audio import AudioModality
from mmrec.jobs.modalities.features import FeaturesModality
from mmrec.jobs.modalities.image import ImageModality
from mmrec.jobs.modalities.item_id import ItemIdModality
from mmrec.jobs.modalities.text import TextModality

MODALITIES = {
    "image": ImageModality,
    "text": TextModality,
    "audio": AudioModality,
    "attributes": AttributesModality,
    "features": FeaturesModality,
    "item_id": ItemIdModality,
}
