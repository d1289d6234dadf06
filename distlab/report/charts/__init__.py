"""Charts: what is drawn, live in a browser and as still pictures."""
