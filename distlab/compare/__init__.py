"""Two or more run folders in; what differs between them out, paired on the problems they share."""
