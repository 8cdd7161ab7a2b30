"""Addresses of the customers' site."""

from django.urls import path
from django.views.generic import RedirectView

from portal import addresses
from portal.demo import shop
from portal.my import callback, front, views

app_name = "portal"
urlpatterns = [
    path("", front.start, name="start"),
    path("theme/", front.theme, name="theme"),
    path("language/", front.language, name="language"),
    path("favicon.ico", front.icon, name="icon"),
    path("contact/", front.new_request, name="new"),
    path("contact/sent/", front.guest_sent, name="guest_sent"),
    path("contact/confirm/<str:token>/", front.guest_confirm, name="guest_confirm"),
    path("demo/widget/", shop.page, name="demo_widget"),
    path("callback/", callback.callback, name="callback"),
    path("callback/agreed/", callback.agreed, name="callback_agreed"),
    path("my/", RedirectView.as_view(pattern_name="portal:tickets"), name="my"),
    path("my/tickets/", views.ticket_list, name="tickets"),
    path("my/tickets/<int:number>/", views.ticket_page, name="ticket"),
    path("my/tickets/<int:number>/answer/", views.answer, name="answer"),
    path("my/tickets/<int:number>/close/", views.close, name="close"),
    path("my/tickets/<int:number>/reopen/", views.reopen, name="reopen"),
    path("my/tickets/<int:number>/rate/", views.rate, name="rate"),
    path("my/messages/<int:key>/original/", views.original, name="original"),
    path("my/files/<int:key>/", views.attachment, name="attachment"),
    path("my/account/", views.profile, name="profile"),
    path("my/account/key/<str:token>/", addresses.agree, name="agree"),
]
