"""What networks are made of, and how they run."""
