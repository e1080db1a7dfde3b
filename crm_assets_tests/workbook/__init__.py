"""Tests of the workbook reader: by module, then golden files, memory, and invented workbooks read back."""
