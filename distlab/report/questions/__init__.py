"""The report's questions, one file each: its rows, columns, sentences and charts."""
