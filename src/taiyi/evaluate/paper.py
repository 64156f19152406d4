"""The numbers of the Taiyi paper (JAMIA 2024) that reports set beside ours, as printed there."""

from __future__ import annotations

import msgspec


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """Scores that others published on a test set, from 0 to 1; None where there is none."""

    taiyi: float | None = None
    chatgpt: float | None = None
    sota: float | None = None
    sota_system: str = ""


class TypeNumbers(msgspec.Struct, frozen=True):
    """Precision, recall and F1 of one entity type."""

    precision: float
    recall: float
    f1: float


class DataSize(msgspec.Struct, frozen=True, kw_only=True):
    """Instances of instruction data in a row of Table 1: by language, or in all where the paper gives one number."""

    english: int | None = None
    chinese: int | None = None
    both: int | None = None


# Table 1. Statistics of the final instruction-tuning data.
TABLE_1: dict[str, DataSize] = {
    "Named Entity Recognition": DataSize(english=28_603, chinese=44_667),
    "Relation Extraction": DataSize(english=17_279, chinese=26_606),
    "Event Extraction": DataSize(english=2_022, chinese=2_992),
    "Text Classification": DataSize(english=40_339, chinese=37_624),
    "Text Pair Task": DataSize(english=11_237, chinese=45_548),
    "Machine Translation": DataSize(both=74_113),
    "Biomedical Question Answering": DataSize(english=57_962, chinese=129_562),
    "Biomedical Multi-Round Dialogue": DataSize(english=10_000, chinese=16_391),
    "General Dialogue Data": DataSize(both=560_000),
    "Other Additional Tasks": DataSize(both=9_370),
}
# The total as printed. The rows add up to 1,114,315 as well.
TABLE_1_TOTAL = 1_114_315

# Which row of Table 1 a task counts under. General dialogue is told by its corpus, so its rows name it themselves.
TABLE_1_ROW: dict[str, str] = {
    "ner": "Named Entity Recognition",
    "nen": "Named Entity Recognition",
    "re": "Relation Extraction",
    "rc": "Relation Extraction",
    "ee": "Event Extraction",
    "tc": "Text Classification",
    "tp_ss": "Text Pair Task",
    "tp_te": "Text Pair Task",
    "mt": "Machine Translation",
    "qa_mc": "Biomedical Question Answering",
    "qa_yesno": "Biomedical Question Answering",
    "qa_sqa": "Biomedical Question Answering",
    "qa_cqa": "Biomedical Question Answering",
    "mrd": "Biomedical Multi-Round Dialogue",
}
TABLE_1_OTHER = "Other Additional Tasks"
GENERAL_DIALOGUE = "General Dialogue Data"

# Table 2. Performance on the 13 test sets, under our names for them: micro-F1, and accuracy for questions.
TABLE_2: dict[str, Published] = {
    "bc5cdr_chemical": Published(taiyi=0.802, chatgpt=0.603, sota=0.933, sota_system="PubMedBERT"),
    "bc5cdr_disease": Published(taiyi=0.691, chatgpt=0.518, sota=0.856, sota_system="PubMedBERT"),
    "chemdner": Published(taiyi=0.799, chatgpt=0.365, sota=0.924, sota_system="BioBERT"),
    "ncbi_disease": Published(taiyi=0.731, chatgpt=0.505, sota=0.878, sota_system="PubMedBERT"),
    "cmeee": Published(taiyi=0.657, chatgpt=0.470, sota=0.740, sota_system="CBLUE leaderboard, test"),
    "bc5cdr_relations": Published(taiyi=0.375, chatgpt=0.142, sota=0.450, sota_system="BioGPT"),
    "cmeie": Published(taiyi=0.432, chatgpt=0.306, sota=0.549, sota_system="CBLUE leaderboard, test"),
    "litcovid": Published(taiyi=0.840, chatgpt=0.639, sota=0.918, sota_system="Bioformer, official test"),
    "hoc": Published(taiyi=0.800, chatgpt=0.512, sota=0.823, sota_system="PubMedBERT, documents"),
    "kuake_qic": Published(taiyi=0.774, chatgpt=0.485, sota=0.859, sota_system="CBLUE leaderboard, test"),
    "pubmed_qa": Published(taiyi=0.544, chatgpt=0.765, sota=0.558, sota_system="PubMedBERT"),
    "med_qa_us": Published(taiyi=0.371, chatgpt=0.513, sota=0.367, sota_system="BioBERT-large"),
    "med_qa_mainland": Published(taiyi=0.648, chatgpt=0.582, sota=0.701, sota_system="RoBERTa-large"),
}
TABLE_2_AVERAGE = Published(taiyi=0.651, chatgpt=0.493, sota=0.735)

# Table 3. Named entities of the BioRED test set, which no stage of training saw; by the corpus's own type names.
TABLE_3: dict[str, TypeNumbers] = {
    "ChemicalEntity": TypeNumbers(0.717, 0.566, 0.633),
    "DiseaseOrPhenotypicFeature": TypeNumbers(0.829, 0.533, 0.649),
    "GeneOrGeneProduct": TypeNumbers(0.931, 0.490, 0.642),
    "SequenceVariant": TypeNumbers(0.633, 0.585, 0.608),
    "OrganismTaxon": TypeNumbers(0.640, 0.286, 0.395),
    "CellLine": TypeNumbers(0.213, 0.565, 0.310),
}
TABLE_3_ALL = TypeNumbers(0.760, 0.507, 0.608)
TABLE_3_CHATGPT_F1 = 0.391
# The names that Table 3 prints.
TABLE_3_NAMES: dict[str, str] = {
    "ChemicalEntity": "Chemical",
    "DiseaseOrPhenotypicFeature": "Disease",
    "GeneOrGeneProduct": "Gene",
    "SequenceVariant": "Variant",
    "OrganismTaxon": "Species",
    "CellLine": "Cell line",
}
