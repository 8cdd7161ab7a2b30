"""Addresses below /desk/calls/."""

from __future__ import annotations

from django.urls import path

from inbox.calls import cards, dialing, pages, statistics, tokens, working, writing

urlpatterns = [
    path("", pages.CallList.as_view(), name="list"),
    path("statistics/", statistics.StatisticsPage.as_view(), name="statistics"),
    path("new/", writing.new, name="new"),
    path("find/", writing.find, name="find"),
    path("dial/", dialing.dial, name="dial"),
    path("ringing/", cards.ringing, name="ringing"),
    path("work/", working.WorkLists.as_view(), name="work"),
    path("work/<int:pk>/", working.WorkPage.as_view(), name="work_list"),
    path("work/<int:pk>/next/", working.WorkDeed.as_view(deed="next"), name="work_next"),
    path("work/<int:pk>/release/", working.WorkDeed.as_view(deed="release"), name="work_release"),
    path("work/<int:pk>/stay/", working.WorkDeed.as_view(deed="stay"), name="work_stay"),
    path("work/<int:pk>/record/", working.record, name="work_record"),
    path("channels/<int:pk>/token/", tokens.RenewToken.as_view(), name="token"),
    path("<int:pk>/", pages.CallPage.as_view(), name="call"),
    path("<int:pk>/card/", cards.card, name="card"),
    path("<int:pk>/notes/", cards.notes, name="notes"),
    path("<int:pk>/ticket/", cards.ticket, name="ticket"),
    path("<int:pk>/person/", cards.person, name="person"),
    path("<int:pk>/recording/", pages.recording, name="recording"),
    path("<int:pk>/listen/", pages.listen, name="listen"),
]
