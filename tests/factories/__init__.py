"""Builders of records for tests, one a model."""

from tests.factories.crm import (
    ContactFactory,
    CustomerFactory,
    DepartmentFactory,
    PointFactory,
    StaffFactory,
    TicketFactory,
    UserFactory,
)
from tests.factories.inbox import (
    AttachmentFactory,
    ChannelFactory,
    DeliveryFactory,
    MessageFactory,
    RawMessageFactory,
    TemplateFactory,
)
from tests.factories.routing import (
    BusinessHoursFactory,
    KeywordSetFactory,
    MacroFactory,
    QueueFactory,
    QueueMemberFactory,
    RuleFactory,
    SLAPolicyFactory,
)

__all__ = [
    "AttachmentFactory",
    "BusinessHoursFactory",
    "ChannelFactory",
    "ContactFactory",
    "CustomerFactory",
    "DeliveryFactory",
    "DepartmentFactory",
    "KeywordSetFactory",
    "MacroFactory",
    "MessageFactory",
    "PointFactory",
    "QueueFactory",
    "QueueMemberFactory",
    "RawMessageFactory",
    "RuleFactory",
    "SLAPolicyFactory",
    "StaffFactory",
    "TemplateFactory",
    "TicketFactory",
    "UserFactory",
]
