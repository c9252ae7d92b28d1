"""The ways out: a mail server, a webhook. Each gives a result, whatever happens; nothing personal is in it."""
