"""What staff configure about the way of work."""

from routing.models.hours import BusinessHours, Holiday, Shift, SLAPolicy
from routing.models.queue import Queue, QueueMember
from routing.models.rule import KeywordSet, Macro, Rule, RuleRun

__all__ = [
    "BusinessHours",
    "Holiday",
    "KeywordSet",
    "Macro",
    "Queue",
    "QueueMember",
    "Rule",
    "RuleRun",
    "SLAPolicy",
    "Shift",
]
