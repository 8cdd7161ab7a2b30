"""Fax as a channel: HylaFAX, watched folders and mail-to-fax gateways; pages in, pages out."""
