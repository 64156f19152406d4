"""BioNLP shared task 2011: epigenetics and post-translational modifications (EPI), and infectious diseases (ID)."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Listed, TypeName
from taiyi.corpora import bionlp_st_ge as ge

ADDED = {
    "Acetylation": TypeName(en="acetylation", zh="乙酰化", definition_en="an acetyl group is added"),
    "Glycosylation": TypeName(en="glycosylation", zh="糖基化", definition_en="a sugar is added"),
    "Hydroxylation": TypeName(en="hydroxylation", zh="羟基化", definition_en="a hydroxyl group is added"),
    "Methylation": TypeName(en="methylation", zh="甲基化", definition_en="a methyl group is added to a protein"),
    "Phosphorylation": ge.PHOSPHORYLATION,
    "Ubiquitination": TypeName(en="ubiquitination", zh="泛素化", definition_en="ubiquitin is added"),
}
REMOVED = {
    "Deacetylation": TypeName(en="deacetylation", zh="去乙酰化", definition_en="an acetyl group is taken off"),
    "Deglycosylation": TypeName(en="deglycosylation", zh="去糖基化", definition_en="a sugar is taken off"),
    "Dehydroxylation": TypeName(en="dehydroxylation", zh="去羟基化", definition_en="a hydroxyl group is taken off"),
    "Demethylation": TypeName(en="demethylation", zh="去甲基化", definition_en="a methyl group is taken off a protein"),
    "Dephosphorylation": TypeName(
        en="dephosphorylation", zh="去磷酸化", definition_en="a phosphate group is taken off"
    ),
    "Deubiquitination": TypeName(en="deubiquitination", zh="去泛素化", definition_en="ubiquitin is taken off"),
}

CORPORA = (
    Corpus(
        name="bionlp_st_2011_epi",
        title="BioNLP shared task 2011: epigenetics and post-translational modifications (EPI)",
        langs=("en",),
        tasks=("ee", "ner", "coref"),
        licence=ge.GENIA_LICENCE,
        access="open",
        homepage="https://github.com/openbiocorpora/bionlp-st-2011-epi",
        citation="Ohta et al. Overview of the Epigenetics and Post-translational Modifications (EPI) task of BioNLP "
        "shared task 2011. BioNLP shared task 2011 workshop, 2011.",
        verified="real",
        files=ge.FILES,
        sizes={"train": 600, "dev": 200, "test": 440},
        listed=Listed(lang="en", number=72, task="EE,NER,COREF", sizes={"train": 600, "dev": 200}),
        downloads=ge.mirror("bionlp-st-2011-epi"),
        entity_types=ge.ENTITY_TYPES,
        event_types={
            **ADDED,
            **REMOVED,
            "DNA_methylation": TypeName(
                en="DNA methylation", zh="DNA甲基化", definition_en="DNA is methylated, at a gene"
            ),
            "DNA_demethylation": TypeName(
                en="DNA demethylation", zh="DNA去甲基化", definition_en="methyl groups are taken off DNA, at a gene"
            ),
            "Catalysis": TypeName(
                en="catalysis", zh="催化", definition_en="a protein catalyses one of the other events"
            ),
        },
        counts={
            "train": {
                "records": 600,
                "entities": 8226,
                "entities.Entity": 631,
                "entities.Protein": 7595,
                "events": 1852,
                "events.Acetylation": 266,
                "events.Catalysis": 177,
                "events.DNA_demethylation": 12,
                "events.DNA_methylation": 284,
                "events.Deacetylation": 31,
                "events.Deglycosylation": 20,
                "events.Dehydroxylation": 1,
                "events.Demethylation": 6,
                "events.Dephosphorylation": 2,
                "events.Deubiquitination": 9,
                "events.Glycosylation": 274,
                "events.Hydroxylation": 104,
                "events.Methylation": 305,
                "events.Phosphorylation": 98,
                "events.Ubiquitination": 263,
                "coreferences": 440,
            },
            "dev": {
                "records": 200,
                "entities": 2712,
                "entities.Entity": 213,
                "entities.Protein": 2499,
                "events": 601,
                "events.Acetylation": 71,
                "events.Catalysis": 61,
                "events.DNA_demethylation": 9,
                "events.DNA_methylation": 132,
                "events.Deacetylation": 19,
                "events.Deglycosylation": 7,
                "events.Demethylation": 7,
                "events.Dephosphorylation": 1,
                "events.Deubiquitination": 8,
                "events.Glycosylation": 73,
                "events.Hydroxylation": 35,
                "events.Methylation": 69,
                "events.Phosphorylation": 32,
                "events.Ubiquitination": 77,
                "coreferences": 168,
            },
        },
        notes=f"{ge.MODIFICATIONS} {ge.NO_TEST}",
    ),
    Corpus(
        name="bionlp_st_2011_id",
        title="BioNLP shared task 2011: infectious diseases (ID)",
        langs=("en",),
        tasks=("ee", "ner", "coref"),
        licence=f"{ge.GENIA_LICENCE}; texts: CC BY 2.0",
        access="open",
        homepage="https://github.com/openbiocorpora/bionlp-st-2011-id",
        citation="Pyysalo et al. Overview of the Infectious Diseases (ID) task of BioNLP shared task 2011. BioNLP "
        "shared task 2011 workshop, 2011.",
        verified="real",
        files=ge.FILES,
        sizes={"train": 152, "dev": 46, "test": 118},
        unit="sections of full texts",
        listed=Listed(lang="en", number=76, task="EE,NER,COREF", sizes={"train": 152, "dev": 46, "test": 118}),
        downloads=ge.mirror("bionlp-st-2011-id"),
        entity_types={
            **ge.ENTITY_TYPES,
            "Chemical": TypeName(en="chemical", zh="化学物质", definition_en="a chemical compound"),
            "Organism": TypeName(en="organism", zh="生物体", definition_en="a named organism, such as a bacterium"),
            "Regulon-operon": TypeName(
                en="regulon or operon",
                zh="调节子或操纵子",
                definition_en="a group of genes that are regulated or transcribed together",
            ),
            "Two-component-system": TypeName(
                en="two-component system",
                zh="双组分系统",
                definition_en="a sensor and a response regulator by which bacteria react to their surroundings",
            ),
        },
        event_types={
            **ge.EVENT_TYPES,
            "Process": TypeName(
                en="biological process",
                zh="生物学过程",
                definition_en="a process of infection or of an organism's life, such as virulence",
            ),
        },
        counts={
            "train": {
                "records": 152,
                "documents": 15,
                "entities": 6553,
                "entities.Chemical": 596,
                "entities.Entity": 28,
                "entities.Organism": 2184,
                "entities.Protein": 3405,
                "entities.Regulon-operon": 72,
                "entities.Two-component-system": 268,
                "events": 2088,
                "events.Binding": 139,
                "events.Gene_expression": 378,
                "events.Localization": 48,
                "events.Negative_regulation": 170,
                "events.Phosphorylation": 56,
                "events.Positive_regulation": 342,
                "events.Process": 694,
                "events.Protein_catabolism": 33,
                "events.Regulation": 186,
                "events.Transcription": 42,
                "coreferences": 170,
            },
            "dev": {
                "records": 46,
                "documents": 5,
                "entities": 1996,
                "entities.Chemical": 131,
                "entities.Entity": 20,
                "entities.Organism": 521,
                "entities.Protein": 1156,
                "entities.Regulon-operon": 49,
                "entities.Two-component-system": 119,
                "events": 691,
                "events.Binding": 17,
                "events.Gene_expression": 134,
                "events.Localization": 1,
                "events.Negative_regulation": 90,
                "events.Phosphorylation": 13,
                "events.Positive_regulation": 113,
                "events.Process": 207,
                "events.Regulation": 81,
                "events.Transcription": 35,
                "coreferences": 31,
            },
        },
        notes=f"Parts of full texts. {ge.MODIFICATIONS} {ge.NO_TEST}",
    ),
)
