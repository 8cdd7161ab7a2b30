"""People, customers and tickets."""

from __future__ import annotations

from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from crm.customers.models import Contact, ContactPoint, Customer
from crm.organisation import services
from crm.organisation.models import Department, User
from crm.service.models import Ticket, TicketParticipant


class DepartmentFactory(DjangoModelFactory):
    class Meta:
        model = Department

    name = factory.Sequence(lambda n: f"Department {n}")


class UserFactory(DjangoModelFactory):
    """Somebody with a login and no role. The password is `correct horse`."""

    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"user{n}@people.test")
    name = factory.Sequence(lambda n: f"User {n}")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return User.objects.create_user(kwargs.pop("email"), kwargs.pop("password", "correct horse"), **kwargs)


class StaffFactory(UserFactory):
    """A colleague: `StaffFactory(role="agent")`, or `roles=[…]`."""

    email = factory.Sequence(lambda n: f"colleague{n}@guichet.test")
    name = factory.Sequence(lambda n: f"Colleague {n}")

    class Params:
        role = "agent"

    roles = factory.LazyAttribute(lambda o: [o.role])

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        roles = kwargs.pop("roles")
        user = super()._create(model_class, *args, **kwargs)
        services.set_roles(user, roles)
        return user


class CustomerFactory(DjangoModelFactory):
    class Meta:
        model = Customer

    name = factory.Sequence(lambda n: f"Customer {n}")


class ContactFactory(DjangoModelFactory):
    """A person. `ContactFactory(email="a@b.test")` gives the address too."""

    class Meta:
        model = Contact
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Contact {n}")

    @factory.post_generation
    def email(self, create: bool, extracted: str | None, **_kwargs: Any) -> None:
        if create and extracted:
            PointFactory(contact=self, value=extracted)


class PointFactory(DjangoModelFactory):
    """An e-mail address of a contact; `verified=True` says that the person proved it."""

    class Meta:
        model = ContactPoint

    class Params:
        verified = False

    contact = factory.SubFactory(ContactFactory)
    kind = ContactPoint.Kind.EMAIL
    value = factory.Sequence(lambda n: f"person{n}@customer.test")
    verified_at = factory.LazyAttribute(lambda o: timezone.now() if o.verified else None)


class TicketFactory(DjangoModelFactory):
    """A new ticket in which its contact takes part. It has no message yet."""

    class Meta:
        model = Ticket
        skip_postgeneration_save = True

    subject = factory.Sequence(lambda n: f"Ticket {n}")
    queue = factory.SubFactory("tests.factories.routing.QueueFactory")
    contact = factory.SubFactory(ContactFactory)
    customer = factory.LazyAttribute(lambda o: o.contact.customer)
    origin = "email"

    @factory.post_generation
    def participants(self, create: bool, extracted: list[Contact] | None, **_kwargs: Any) -> None:
        if create:
            TicketParticipant.objects.bulk_create(
                TicketParticipant(ticket=self, contact=contact) for contact in {self.contact, *(extracted or [])}
            )

    @factory.post_generation
    def tags(self, create: bool, extracted: list[str] | None, **_kwargs: Any) -> None:
        from crm.customers.models import Tag

        if create and extracted:
            self.tags.set(Tag.objects.get_or_create(name=name)[0] for name in extracted)
