"""Commands on a store as a whole: what is left behind, what is damaged, and copies for others."""
