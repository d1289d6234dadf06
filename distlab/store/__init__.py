"""Samples on disk: Arrow batches in, committed Parquet shards and resume state out.

The commands on a store as a whole (verify, gc, export) stand beside them.
"""
