"""The modalities by name."""

from mmrec.modalities.attributes.modality import AttributesModality
from mmrec.modalities.audio.modality import AudioModality
from mmrec.modalities.features.modality import FeaturesModality
from mmrec.modalities.image.modality import ImageModality
from mmrec.modalities.item_id.modality import ItemIdModality
from mmrec.modalities.text.modality import TextModality

MODALITIES = {
    "image": ImageModality,
    "text": TextModality,
    "audio": AudioModality,
    "attributes": AttributesModality,
    "features": FeaturesModality,
    "item_id": ItemIdModality,
}
