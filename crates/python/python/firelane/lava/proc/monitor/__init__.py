"""What is written down of others."""
