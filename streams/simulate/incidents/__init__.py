"""The planted incidents and the benign look-alikes, one file each."""

from __future__ import annotations

from streams.simulate.incidents import (
    backups,
    bulk_review,
    data_exchange,
    forwarding_rule,
    leaver_usb,
    low_and_slow,
    mail_home,
    newsletter,
    partner_transfer,
    payroll_run,
    zip_upload,
)
from streams.simulate.incidents.story import Story

STORIES: dict[str, Story] = {
    module.STORY.name: module.STORY
    for module in (
        mail_home,
        low_and_slow,
        zip_upload,
        leaver_usb,
        forwarding_rule,
        partner_transfer,
        payroll_run,
        bulk_review,
        newsletter,
        backups,
        data_exchange,
    )
}
