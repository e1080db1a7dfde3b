"""The daily sales digest: one page and one workbook that say how the stores did, and prove that they say so rightly.

figures         what the page says: the day, the month, last month, what is open, owed and late
reading         the same, from the warehouse, at one moment
reconciliation  whether the fact tables bear it out
charts          thirty days as a small picture
page            figures as a page that needs nothing else: no script, no request
sheets          the same figures as a workbook
words           rupees, growth and times as people read them
files           both, written whole
post            the message that carries them, and when it is tried again

The SQL is ``warehouse/sales.py``'s; when a digest is made and who gets it is ``pipeline/digest.py``'s.
"""
