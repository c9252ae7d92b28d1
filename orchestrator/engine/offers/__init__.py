"""Offers: what a customer may have, at terms that hold on every channel."""
