"""ChEBI corpus of NaCTeM: metabolites and what relates to them in full papers."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import brat

CORPORA = (
    Corpus(
        name="chebi_nactem",
        title="ChEBI corpus (NaCTeM)",
        langs=("en",),
        tasks=("ner", "re"),
        licence="CC BY 4.0",
        access="open",
        homepage="http://www.nactem.ac.uk/chebi",
        citation="Shardlow et al. A New Corpus to Support Text Mining for the Curation of Metabolites in the ChEBI "
        "Database. LREC, 2018.",
        verified="fixture",
        files={
            "train": (
                Source(
                    path="ChEBI/fullpapers",
                    read=brat.read,
                    options={"documents": {r"(?:PMC|pmc)(\d+)": r"pmcid:PMC\1", r"(\d+)": r"pmid:\1"}},
                ),
            )
        },
        counts={"train": {"records": 100}},
        sizes={"train": 100},
        listed=Listed(lang="en", number=87, task="NER,RE", sizes={"train": 100}),
        downloads=(Download(url="http://www.nactem.ac.uk/chebi/ChEBI.zip", unpack=True),),
        entity_types={
            "Metabolite": TypeName(
                en="metabolite",
                zh="代谢物",
                definition_en="a compound that the metabolism of a living thing makes",
                definition_zh="生物代谢产生的化合物",
            ),
            "Chemical": TypeName(
                en="chemical",
                zh="化学物质",
                definition_en="a chemical that is not a metabolite",
                definition_zh="非代谢物的化学物质",
            ),
            "Protein": TypeName(
                en="protein", zh="蛋白质", definition_en="a protein or gene", definition_zh="蛋白质或基因"
            ),
            "Species": TypeName(
                en="species", zh="物种", definition_en="a species or strain", definition_zh="物种或菌株"
            ),
            "Biological_Activity": TypeName(
                en="biological activity",
                zh="生物活性",
                definition_en="what a chemical does to a living thing, such as cytotoxicity",
                definition_zh="化学物质对生物的作用，如细胞毒性",
            ),
            "Spectral_Data": TypeName(
                en="spectral data",
                zh="光谱数据",
                definition_en="a method or result of spectroscopy by which a structure was found",
                definition_zh="用于确定结构的光谱方法或结果",
            ),
        },
        relation_types={
            "Isolated_From": TypeName(
                en="isolated from",
                zh="分离自",
                definition_en="the chemical was obtained from the species",
                definition_zh="该化学物质从该物种中获得",
            ),
            "Associated_With": TypeName(
                en="associated with",
                zh="相关",
                definition_en="the chemical has the activity or the spectrum",
                definition_zh="该化学物质具有该活性或光谱",
            ),
            "Binds_With": TypeName(
                en="binds with",
                zh="结合于",
                definition_en="the chemical binds to the protein",
                definition_zh="该化学物质与该蛋白质结合",
            ),
            "Metabolite_Of": TypeName(
                en="metabolite of",
                zh="代谢产物",
                definition_en="the chemical is made from the other, or by the species",
                definition_zh="由另一物质或该物种代谢产生",
            ),
        },
        notes="The 100 full papers are read, as the list has them. The archive also holds 199 abstracts, each "
        "annotated by two people apart (ChEBI/abstracts/Annotator1 and Annotator2).",
    ),
)
