"""Addresses of the visitors' sockets."""

from __future__ import annotations

from django.urls import path

from inbox.channels.chat.consumer import VisitorConsumer

websocket_urlpatterns = [path("ws/chat/<str:key>/", VisitorConsumer.as_asgi())]
PREFIX = "/ws/chat/"
