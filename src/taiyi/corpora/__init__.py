"""Corpora, one file each or by family: declarations only, found by `taiyi.catalogue`."""
