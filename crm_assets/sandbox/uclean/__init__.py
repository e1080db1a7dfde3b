"""UClean as local web apps: ``panel`` (the two front ends, old and new) and ``api`` (what they and the robots call).

Invoices come from ``books``. The panel builds its workbook in the browser: ``web/uc_gst.js`` and ``web/sheetjs.js``.
"""
