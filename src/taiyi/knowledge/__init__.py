"""What is known beside a model: sources that answers are held to, and names that exist."""
