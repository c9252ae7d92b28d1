"""From an action and its content to the message that a channel sends."""
