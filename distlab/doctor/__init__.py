"""What would break, hang or crawl on a machine or a cluster, before GPU-hours are spent."""
