"""The demo company: Halden, makers of coffee machines and kitchen appliances in Hamburg and Shanghai.

Its past is made by the same services that the product works with: mails come in, rules run, colleagues answer.
"""
