"""The pages of ``docs/`` that are written by a program, so that they cannot drift: ``script/docs`` writes them, a test compares.

``errors`` is made from the error tree, ``configuration`` from the settings' and the store list's models and ``.env.example``,
``dictionary`` from the comments of a migrated database and the reports' columns. Pages that people write are not touched here.
"""
