"""Addresses of the workspace below /desk/inbox/."""

from __future__ import annotations

from django.urls import path

from inbox.workspace import bodies, deeds, lists, personal, tickets, writing

urlpatterns = [
    path("", lists.inbox, name="list"),
    path("rows/", lists.rows, name="rows"),
    path("panes/", lists.panes, name="panes"),
    path("counts/", lists.counts, name="counts"),
    path("new/", writing.compose, name="compose"),
    path("find/", writing.find, name="find"),
    path("people/", writing.people, name="people"),
    path("choices/<slug:what>/", deeds.choices, name="choices"),
    path("bulk/", deeds.bulk, name="bulk"),
    path("shortcuts/", personal.shortcuts, name="shortcuts"),
    path("views/", personal.save_view, name="save_view"),
    path("views/<int:pk>/delete/", personal.delete_view, name="delete_view"),
    path("messages/<int:pk>/frame/", bodies.frame, name="frame"),
    path("files/<int:pk>/", bodies.download, name="download"),
    path("files/<int:pk>/preview/", bodies.preview, name="preview"),
    path("files/<int:pk>/look/", bodies.look, name="look"),
    path("<int:number>/", tickets.ticket, name="ticket"),
    path("<int:number>/after/<int:seq>/", tickets.after, name="after"),
    path("<int:number>/before/<int:seq>/", tickets.before, name="before"),
    path("<int:number>/about/", tickets.about, name="about"),
    path("<int:number>/why/", tickets.why, name="why"),
    path("<int:number>/reply/", writing.reply, name="reply"),
    path("<int:number>/note/", writing.note, name="note"),
    path("<int:number>/texts/<slug:purpose>/", writing.texts, name="texts"),
    path("<int:number>/do/<slug:deed>/", deeds.do, name="do"),
    path("<int:number>/split/", deeds.split, name="split"),
    path("<int:number>/unmerge/<int:merge>/", deeds.unmerge, name="unmerge"),
    path("<int:number>/retry/<int:delivery>/", deeds.retry, name="retry"),
]
