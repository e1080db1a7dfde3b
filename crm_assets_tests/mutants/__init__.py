"""Tests by mutation: thousands of damaged workbooks, each of which is refused or read exactly as it stands.

``subjects`` are the whole files and what comes of one, ``oracle`` reads a mutant in another way; ``damage``, ``markup`` and
``cells`` break files at three levels. Every mutant follows from its number alone.
"""
