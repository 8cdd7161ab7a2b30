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
    FaxDocumentFactory,
    FaxPageFactory,
    MessageFactory,
    RawMessageFactory,
    TemplateFactory,
    WebhookFactory,
)
from tests.factories.marketing import CallListEntryFactory, CallListFactory, CallScriptFactory
from tests.factories.planning import AppointmentFactory, TaskFactory
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
    "AppointmentFactory",
    "AttachmentFactory",
    "BusinessHoursFactory",
    "CallListEntryFactory",
    "CallListFactory",
    "CallScriptFactory",
    "ChannelFactory",
    "ContactFactory",
    "CustomerFactory",
    "DeliveryFactory",
    "DepartmentFactory",
    "FaxDocumentFactory",
    "FaxPageFactory",
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
    "TaskFactory",
    "TemplateFactory",
    "TicketFactory",
    "UserFactory",
    "WebhookFactory",
]
