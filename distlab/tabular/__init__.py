"""Rows of anybody's file in; problems with golds that were tried on a grader out."""
