"""What is known beside the model: sources that answers cite, and names of drugs and diseases."""
