"""What happens when a table is not named."""

import pytest

from mmrec.config import Config
from mmrec.errors import InputError
from mmrec.jobs.tables import load_tables


def refusal(data):
    with pytest.raises(InputError) as error:
        load_tables(Config.load(data=data))
    return str(error.value)


def test_a_shop_without_interactions_cannot_be_trained_yet():
    message = refusal({"catalog": {"path": "items.csv", "text": ["title"]}, "interactions": None})
    assert message == (
        "`data.interactions`: training without interactions is not supported yet. Received: null. Name your table of "
        "events in `data.interactions.path`."
    )


def test_events_of_ones_own_are_not_joined_with_the_sample_shop():
    message = refusal({"interactions": {"path": "/shop/events.csv"}})
    assert message.startswith("`data.catalog.path`: must be given with `data.interactions.path`. Received: '/shop/")
