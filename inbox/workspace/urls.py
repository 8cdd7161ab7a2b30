"""Addresses of the workspace below /desk/inbox/."""

from __future__ import annotations

from django.urls import path

from inbox.workspace import bodies, chats, deeds, duty, fax, lists, personal, tickets, ways, writing

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
    path("duty/", duty.duty, name="duty"),
    path("chats/", chats.page, name="chats"),
    path("chats/list/", chats.listing, name="chat_lines"),
    path("chats/state/", chats.state, name="chat_state"),
    path("chats/presence/", chats.set_presence, name="presence"),
    path("chats/<int:number>/", chats.column, name="chat"),
    path("chats/<int:number>/after/<int:seq>/", chats.after, name="chat_after"),
    path("chats/<int:number>/say/", chats.say, name="chat_say"),
    path("chats/<int:number>/do/<slug:deed>/", chats.act, name="chat_act"),
    path("messages/<int:pk>/frame/", bodies.frame, name="frame"),
    path("files/<int:pk>/", bodies.download, name="download"),
    path("files/<int:pk>/preview/", bodies.preview, name="preview"),
    path("files/<int:pk>/look/", bodies.look, name="look"),
    path("fax/<int:pk>/", fax.pages, name="fax"),
    path("fax/<int:pk>/view/", fax.viewer, name="fax_viewer"),
    path("fax/<int:pk>/turn/", fax.turn, name="fax_turn"),
    path("fax/pages/<int:pk>/", fax.page, name="fax_page"),
    path("<int:number>/fax-preview/", fax.preview, name="fax_preview"),
    path("<int:number>/", tickets.ticket, name="ticket"),
    path("<int:number>/after/<int:seq>/", tickets.after, name="after"),
    path("<int:number>/before/<int:seq>/", tickets.before, name="before"),
    path("<int:number>/about/", tickets.about, name="about"),
    path("<int:number>/why/", tickets.why, name="why"),
    path("<int:number>/ways/", ways.menu, name="ways"),
    path("<int:number>/reply/", writing.reply, name="reply"),
    path("<int:number>/note/", writing.note, name="note"),
    path("<int:number>/texts/<slug:purpose>/", writing.texts, name="texts"),
    path("<int:number>/do/<slug:deed>/", deeds.do, name="do"),
    path("<int:number>/split/", deeds.split, name="split"),
    path("<int:number>/unmerge/<int:merge>/", deeds.unmerge, name="unmerge"),
    path("<int:number>/retry/<int:delivery>/", deeds.retry, name="retry"),
    path("<int:number>/call-off/<int:delivery>/", deeds.call_off, name="call_off"),
]
