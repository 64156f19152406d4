"""GEOKhoj v1: whether a sample of the Gene Expression Omnibus is a control."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import labelled

_OPTIONS: dict[str, Any] = {
    "columns": ("sample", "label", "text"),
    "document_key": "sample",
    "document_prefix": "geo:",
    "names": {"0": "control", "1": "perturbation"},
}

CORPORA = (
    Corpus(
        name="geokhoj_v1",
        title="GEOKhoj v1",
        langs=("en",),
        tasks=("tc",),
        licence="CC BY-NC 4.0",
        access="open",
        homepage="https://github.com/ElucidataInc/GEOKhoj-datasets/tree/main/geokhoj_v1",
        citation="Elucidata. GEOKhoj v1. GitHub, 2022.",
        verified="real",
        files={
            "train": (
                Source(path="geokhoj_v1/data/train/geo_samples_train.csv", read=labelled.read, options=_OPTIONS),
            ),
            "test": (Source(path="geokhoj_v1/data/test/geo_samples_test.csv", read=labelled.read, options=_OPTIONS),),
        },
        counts={
            "train": {"records": 25000, "documents": 24997, "labels.control": 4995, "labels.perturbation": 20005},
            "test": {"records": 5000, "documents": 5000, "labels.control": 997, "labels.perturbation": 4003},
        },
        sizes={"train": 25000, "test": 5000},
        unit="samples",
        listed=Listed(lang="en", number=50, task="TC", sizes={"train": 25000, "test": 5000}),
        downloads=(
            Download(
                url="https://github.com/ElucidataInc/GEOKhoj-datasets/raw/main/geokhoj_v1/geokhoj_V1.zip", unpack=True
            ),
        ),
        labels={
            "control": TypeName(
                en="control",
                zh="对照",
                definition_en="The sample is of known composition and unaltered; others are compared with it.",
            ),
            "perturbation": TypeName(
                en="perturbation",
                zh="扰动",
                definition_en="The sample was altered, by a disease, a drug, a stimulus, a knocked-out gene or the "
                "like.",
            ),
        },
        notes="Three samples stand in train twice, so records are named by their row; the sample's accession is the "
        "document's id.",
    ),
)
