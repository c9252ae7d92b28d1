"""The checks of a bundle before it is published: one file a check, a visible tuple of all."""
