"""Liquid: the templates in texts, for lint, for slots and for messages alike."""
