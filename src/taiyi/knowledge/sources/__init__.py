"""Sources to answer from: an index of documents, and answers whose quotations are looked up in it."""
