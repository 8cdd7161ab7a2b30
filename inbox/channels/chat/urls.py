"""Addresses of the chat over HTTP."""

from __future__ import annotations

from django.urls import path

from inbox.channels.chat import callback_views, end_views, file_views, views

app_name = "chat"
urlpatterns = [
    # No key has so few letters.
    path("agents/<slug:mark>", file_views.portrait, name="agent"),
    path("<str:key>/session", views.session, name="session"),
    path("<str:key>/events", views.news, name="events"),
    path("<str:key>/say", views.say, name="say"),
    path("<str:key>/seen", views.seen, name="seen"),
    path("<str:key>/page", views.page, name="page"),
    path("<str:key>/person", views.person, name="person"),
    path("<str:key>/file", file_views.file, name="file"),
    path("<str:key>/file/<str:mark>", file_views.download, name="download"),
    path("<str:key>/end", views.end, name="end"),
    path("<str:key>/rating", end_views.rating, name="rating"),
    path("<str:key>/transcript", end_views.transcript, name="transcript"),
    path("<str:key>/callback", callback_views.callback, name="callback"),
    path("<str:key>/form", end_views.form, name="form"),
    path("<str:key>/leave", views.leave, name="leave"),
]
