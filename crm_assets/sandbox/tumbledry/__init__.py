"""TumbleDry as local web apps: ``subs`` (addresses, report page) with ``sign_in`` and ``home``, ``reports`` (the report app),
``requests`` (its list), ``kinds`` (the reports it shows).

Orders come from ``books``, bytes from ``workbooks``.
"""
