"""The records and the business rules; knows no wire."""
