"""What a store, a run or a sweep has and what it lacks, read off the disk while others write."""
