"""Logs of other evaluation tools in; rows with the same columns, whichever tool wrote them, out."""
