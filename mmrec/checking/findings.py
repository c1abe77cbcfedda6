"""Finds what in tables and settings would make a training poor, and names the remedy."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping

import numpy as np

from mmrec.config import Config
from mmrec.data.findings import Finding, percent
from mmrec.data.shop_tables import Tables
from mmrec.data.split_reasons import lost_answers

# Rules of thumb: a value beyond them is worth a look, and not always wrong.
FEW_USERS, FEW_EVENTS = 50, 500
LOW_COVERAGE = 0.05
LACKING_USERS = 0.2  # share of the users that the table of users lacks
LARGE_SHARE, TIMES_THE_MEAN = 0.10, 5  # more of the events than this share, and than so many equal shares
USUAL_TEMPERATURE = (0.01, 0.5)
SMALL_BATCH, FEW_STEPS, GOOD_STEPS = 16, 3, 5
MANY_SKIPPED = 0.1  # share of a table's rows

_REMEDIES = {  # by the most frequent reason of skipped rows
    "unknown_item": "Check that both tables write item ids alike, or correct `data.interactions.item_id`.",
    "unreadable_time": "Set `data.interactions.timestamp_format` to the format of the times.",
}


def skip_findings(
    used: Mapping[str, int], skipped: Mapping[str, Mapping[str, int]], masked: Collection[str]
) -> Iterator[Finding]:
    """Reports each table of which more than a tenth of the rows was skipped.

    Args:
      used: the number of rows in use, by table.
      skipped: the number of skipped rows, by table and reason.
      masked: reasons in `skipped` that only mask the content of a row; such rows are in use.
    """
    for table, rows in used.items():
        reasons = {reason: count for reason, count in skipped[table].items() if reason not in masked}
        out = sum(reasons.values())
        if out > MANY_SKIPPED * (out + rows):
            said = ", ".join(f"{reason.replace('_', ' ')} {count:,}" for reason, count in reasons.items())
            text = f"{percent(out / (out + rows))} of the rows of the {table} were skipped: {said}."
            most = max(reasons, key=reasons.__getitem__)
            remedy = _REMEDIES.get(most, "Correct them, unless you can do without them.")
            yield Finding("warning", "many_skipped_rows", text, remedy, (table,))


def coverage_findings(facts: dict, called: Mapping[str, str]) -> Iterator[Finding]:
    """Reports content that few items have.

    Args:
      facts: see `facts.catalog_facts`.
      called: the words for a name in `coverage`, where the name itself does not read well.
    """
    for name, share in facts["coverage"].items():
        if share < LOW_COVERAGE:
            text = f"Only {percent(share)} of the items have {called.get(name) or name}."
            remedy = "Correct the column's name or `image_dir`, or leave it out of the config."
            yield Finding("warning", "low_coverage", text, remedy, (name,))


def split_findings(config: Config, tables: Tables, facts: dict) -> list[Finding]:
    """Reports what is unusual about usable tables and their split.

    Args:
      config: the settings.
      tables: the checked data.
      facts: those of `facts.catalog_facts`, `event_facts` and `split_facts`, merged.
    """
    return [*_size(facts), *_users(tables), *_seen(tables), *_baskets(config, tables), *_shares(tables)]


def setting_findings(config: Config, steps: int) -> list[Finding]:
    """Reports settings that are unusual, alone or for the size of the data.

    Args:
      config: the settings, with those left open decided (see `jobs.resolve`).
      steps: training steps per epoch.
    """
    findings, temperature, batch = [], config.retrieval.temperature, config.training.batch_size
    low, high = USUAL_TEMPERATURE
    shares = config.retrieval.similarity == "cosine" and config.retrieval.loss != "cosine"
    if shares and not low <= temperature <= high:
        text = f"`retrieval.temperature` is {temperature}; usual values for cosine scores are {low} to {high}."
        findings.append(Finding("warning", "unusual_temperature", text, "Leave it out unless you tuned it."))
    if batch < SMALL_BATCH:
        text = f"`training.batch_size` is {batch}: each answer competes with the few other answers of its batch."
        findings.append(Finding("warning", "small_batch", text, f"Set it to {SMALL_BATCH} histories or more."))
    elif steps < FEW_STEPS and batch > SMALL_BATCH:
        text = f"Only {steps} weight update{'s' * (steps > 1)} per epoch."
        smaller = max(SMALL_BATCH, 2 ** int(math.log2(batch * steps / GOOD_STEPS)))
        findings.append(Finding("warning", "few_steps", text, f"Lower `training.batch_size` (for example {smaller})."))
    return findings


def _size(facts: dict) -> Iterator[Finding]:
    events, test = facts["split"]["train"]["events"], facts["split"]["test"]
    if facts["users"] < FEW_USERS:
        text = f"Only {facts['users']:,} users: metrics will have wide intervals."
        yield Finding("warning", "few_users", text, "Give more users, or read no more than the intervals allow.")
    if events < FEW_EVENTS:
        text = f"Only {events:,} training events for {facts['items']:,} items."
        yield Finding("warning", "few_events", text, "Give a longer time of events.")
    single = facts["users_by_events"]["1"]
    if single > facts["users"] / 2:
        text = f"{percent(single / facts['users'])} of the users have one event: no history predicts another."
        yield Finding("warning", "users_with_one_event", text, "Give a longer time of events, or join users' accounts.")
    cold = test["cold_answers"] / test["answers"]
    if cold > 0.5:
        text = f"{percent(cold)} of the test's right answers are items without training events."
        remedy = "Judge by the slice `cold_items`; photos and texts must carry the model, the item id cannot."
        yield Finding("warning", "cold_test", text, remedy)


def _seen(tables: Tables) -> Iterator[Finding]:
    test = tables.split.test
    if lost := lost_answers(tables.events, test.dropped, len(test.relevant.values)):
        yield Finding("warning", "answers_already_seen", *lost)


def _users(tables: Tables) -> Iterator[Finding]:
    """Reports users without attributes; when no user has any, reading the tables fails before."""
    users = len(tables.events.user_ids)
    lacking = users if tables.users is None else users - tables.users.covered
    if tables.users is not None and lacking:
        text = f"{lacking:,} of {users:,} users ({percent(lacking / users)}) are not in the table of users."
        remedy = "Add them to it, or check that both tables write the ids alike."
        severity = "warning" if lacking > users * LACKING_USERS else "note"
        yield Finding(severity, "users_without_attributes", text, remedy)


def _baskets(config: Config, tables: Tables) -> Iterator[Finding]:
    train = tables.split.train
    if len(train.time):
        user = train.rows.row_of_value
        new = np.append(True, (user[1:] != user[:-1]) | (train.time[1:] != train.time[:-1]))
        basket = np.bincount(np.cumsum(new) - 1)  # events of each basket
        share = basket[basket >= config.query.max_length].sum() / len(user)
        if share > 0.05:
            text = (
                f"{percent(share)} of the training events are in baskets of {config.query.max_length} or more: a "
                "basket fills the whole window, and its items have no history."
            )
            remedy = "Raise `query.max_length`, or give a finer `data.interactions.timestamp`."
            yield Finding("warning", "baskets_fill_windows", text, remedy)


def _shares(tables: Tables) -> Iterator[Finding]:
    counts = tables.train_counts[1:]
    by_user = tables.split.train.rows.lengths
    for kind, values, names in (("item", counts, tables.vocabulary.ids[1:]), ("user", by_user, tables.events.user_ids)):
        share, most = values / max(1, values.sum()), int(np.argmax(values))
        if share[most] > max(LARGE_SHARE, TIMES_THE_MEAN / max(1, (values > 0).sum())):
            text = f"The {kind} {names[most]} has {percent(share[most])} of the training events."
            remedy = {
                "item": "Leave it out when it is no real item (a bag, a voucher, a delivery fee).",
                "user": "Leave it out when it is no real user (a test account, guests under one id, a robot).",
            }
            yield Finding("warning", f"dominant_{kind}", text, remedy[kind], (str(names[most]),))
