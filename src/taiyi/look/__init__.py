"""Looking at the data of a run: examples as a model sees them, and a page of the mixture and what was left out."""
