"""Arrow batches in; committed Parquet shards and resume state out."""
