"""Names of drugs and diseases, and terms of a question that are near to one but unknown."""
