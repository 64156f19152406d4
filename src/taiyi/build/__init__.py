"""From records to the examples of a stage: instructions, deduplication, decontamination, mixture, statistics."""
