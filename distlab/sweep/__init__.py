"""Many studies as one: all are checked first, what they miss is drawn together, each reports."""
