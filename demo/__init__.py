"""Amy's story, played on the real product: `python -m demo` (or `make demo`).

`story` and `beside` say what happens and what is expected, in the order in which it happens. `stage` starts and ends
the parts, `producer` and `visitor` do what shops and mail providers do, `mailbox` is the mail server, `watch` reads
what was decided, `checks` hold what is seen against what is expected, `timeline` shows it all.
"""
