"""The corpora of Fraunhofer SCAI in columns: chemical names, and diseases with adverse effects."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import offset_columns

_PAGES = "https://www.scai.fraunhofer.de/en/business-research-areas/bioinformatics/downloads"
_FILES = "https://www.scai.fraunhofer.de/content/dam/scai/de/downloads/bioinformatik"
_CHEMICAL = "chemicals-test-corpus-27-04-2009-v3_iob"
_DISEASE = "Disease-ae-corpus.iob"
_NOTES = (
    "The text is put together from the tokens, with as many spaces between them as their offsets say. Mentions are "
    "what the tags say; where the column of mentions gives another text, this is reported and the tags hold."
)

CORPORA = (
    Corpus(
        name="scai_chemical",
        title="SCAI corpus of chemical names",
        langs=("en",),
        tasks=("ner",),
        licence="not stated",
        access="open",
        homepage=f"{_PAGES}/corpora-for-chemical-entity-recognition.html",
        citation="Kolářik et al. Chemical Names: Terminological Resources and Corpora Annotation. "
        "LREC Workshop on Building and Evaluating Resources for Biomedical Text Mining, 2008.",
        verified="fixture",
        files={
            "train": (Source(path=_CHEMICAL, read=offset_columns.read, options={"encodings": ("utf-8", "mac_roman")}),)
        },
        counts={"train": {"records": 100}},
        sizes={"train": 100},
        listed=Listed(lang="en", number=7, task="NER", sizes={"train": 100}),
        downloads=(Download(url=f"{_FILES}/Corpora-for-Chemical-Entity-Recognition/{_CHEMICAL}.gz", unpack=True),),
        entity_types={
            "IUPAC": TypeName(
                en="systematic chemical name",
                zh="系统化学名",
                definition_en="a chemical by its systematic or semi-systematic name",
                definition_zh="用系统命名或半系统命名表示的化学物质",
            ),
            "PARTIUPAC": TypeName(
                en="part of a systematic name",
                zh="系统名片段",
                definition_en="a fragment of a systematic name that stands alone",
                definition_zh="单独出现的系统命名片段",
            ),
            "TRIVIAL": TypeName(
                en="common chemical name",
                zh="化学俗名",
                definition_en="a chemical by its common or brand name",
                definition_zh="用俗名或商品名表示的化学物质",
            ),
            "TRIVIALVAR": TypeName(
                en="variant of a common name",
                zh="化学俗名变体",
                definition_en="a common name with an addition that makes it another compound",
                definition_zh="在俗名上加以修饰而表示另一化合物的名称",
            ),
            "ABBREVIATION": TypeName(
                en="chemical abbreviation",
                zh="化学缩写",
                definition_en="a short form of a chemical's name",
                definition_zh="化学物质名称的缩写",
            ),
            "SUM": TypeName(
                en="molecular formula",
                zh="分子式",
                definition_en="a chemical by the atoms or ions that it is made of",
                definition_zh="用所含原子或离子表示的化学物质",
            ),
            "FAMILY": TypeName(
                en="chemical family",
                zh="化学物质类别",
                definition_en="a class of chemicals, by structure or function",
                definition_zh="按结构或功能划分的一类化学物质",
            ),
            "MODIFIER": TypeName(
                en="chemical modifier",
                zh="化学修饰语",
                definition_en="a word that turns a chemical's name into another substance or a class, such as analogue",
                definition_zh="使化学名称指另一物质或一类物质的词，如类似物",
            ),
        },
        notes="The corpus of all classes of chemical names that its authors call their test corpus; it has one part, "
        "so it is read as train. Its bytes outside ASCII are read as Mac Roman where the file is not UTF-8. Another "
        f"corpus of theirs, of IUPAC names alone, is not part of it. {_NOTES}",
    ),
    Corpus(
        name="scai_disease",
        title="SCAI corpus of diseases and adverse effects",
        langs=("en",),
        tasks=("ner",),
        licence="not stated",
        access="open",
        homepage=f"{_PAGES}/corpus-for-disease-names-and-adverse-effects.html",
        citation="Gurulingappa et al. An Empirical Evaluation of Resources for the Identification of Diseases and "
        "Adverse Effects in Biomedical Literature. "
        "LREC Workshop on Building and Evaluating Resources for Biomedical Text Mining, 2010.",
        verified="fixture",
        files={
            "train": (Source(path=_DISEASE, read=offset_columns.read, options={"encodings": ("utf-8", "latin-1")}),)
        },
        counts={"train": {"records": 400}},
        sizes={"train": 400},
        listed=Listed(lang="en", number=5, task="NER", sizes={"train": 400}),
        downloads=(Download(url=f"{_FILES}/{_DISEASE}", path=_DISEASE),),
        entity_types={
            "DISEASE": TypeName(
                en="disease",
                zh="疾病",
                definition_en="a disease or disorder that somebody has",
                definition_zh="患者所患的疾病或障碍",
            ),
            "ADVERSE": TypeName(
                en="adverse effect",
                zh="不良反应",
                definition_en="a sign or symptom that a disease or a treatment brings about",
                definition_zh="疾病或治疗引起的症状或体征",
            ),
        },
        notes=f"400 abstracts found in PubMed by a query for diseases or adverse effects. {_NOTES}",
    ),
)
