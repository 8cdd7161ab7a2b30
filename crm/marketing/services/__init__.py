"""What can be done to call lists and scripts: one transaction each."""

from crm.marketing.services.building import Added, build_from_search
from crm.marketing.services.lists import save_list, set_state
from crm.marketing.services.refusals import NotNow, NotPossible, NotYours
from crm.marketing.services.working import LEASE, check_again, next_entry, record, release, stay

__all__ = [
    "LEASE",
    "Added",
    "NotNow",
    "NotPossible",
    "NotYours",
    "build_from_search",
    "check_again",
    "next_entry",
    "record",
    "release",
    "save_list",
    "set_state",
    "stay",
]
