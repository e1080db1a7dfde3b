"""TumbleDry as local web apps: ``subs`` (login, home, report page), ``reports`` (the report app), ``requests`` (its list).

Orders come from ``books``, bytes from ``workbooks``.
"""
