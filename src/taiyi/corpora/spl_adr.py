"""SPL-ADR-200db: adverse reactions in drug labels of the FDA, with MedDRA concepts (TAC 2017)."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import tac

_SITE = "https://bionlp.nlm.nih.gov/tac2017adversereactions"

CORPORA = (
    Corpus(
        name="spl_adr_200db",
        title="200 structured product labels annotated for adverse drug reactions",
        langs=("en",),
        tasks=("ner", "nen", "re"),
        licence="CC0 1.0",
        access="open",
        homepage=f"{_SITE}/",
        citation="Demner-Fushman et al. A dataset of 200 structured product labels annotated for adverse drug "
        "reactions. Scientific Data, 2018.",
        verified="fixture",
        files={
            "train": (Source(path="train_xml/*.xml", read=tac.read),),
            "test": (Source(path="gold_xml/*.xml", read=tac.read),),
        },
        counts={"train": {"records": 101}, "test": {"records": 99}},
        sizes={"train": 101, "test": 99},
        unit="labels",
        listed=Listed(lang="en", number=95, task="NER,RE", sizes={"train": 101}),
        downloads=(
            Download(url=f"{_SITE}/train_xml.tar.gz", unpack=True),
            Download(url=f"{_SITE}/gold_xml.tar.gz", unpack=True),
        ),
        entity_types={
            "AdverseReaction": TypeName(
                en="adverse reaction",
                zh="不良反应",
                definition_en="an unwanted effect that may be due to the drug",
                definition_zh="可能由药物引起的有害反应",
            ),
            "Severity": TypeName(
                en="severity",
                zh="严重程度",
                definition_en="how severe a reaction is, as a word or a grade",
                definition_zh="反应的严重程度，以词语或分级表示",
            ),
            "Factor": TypeName(
                en="factor",
                zh="不确定因素",
                definition_en="a word that makes a reaction uncertain, such as risk or may",
                definition_zh="使反应带有不确定性的词，如 risk、may",
            ),
            "DrugClass": TypeName(
                en="drug class",
                zh="药物类别",
                definition_en="a class of drugs that a reaction is said of instead of the drug",
                definition_zh="反应所归属的药物类别，而非该药本身",
            ),
            "Negation": TypeName(
                en="negation",
                zh="否定词",
                definition_en="a word that says that a reaction did not occur",
                definition_zh="说明反应未发生的词",
            ),
            "Animal": TypeName(
                en="animal",
                zh="动物",
                definition_en="a species in which a reaction was seen",
                definition_zh="观察到反应的动物种类",
            ),
        },
        relation_types={
            "Negated": TypeName(
                en="negated reaction",
                zh="被否定的反应",
                definition_en="the first, a reaction, is negated by the second, a negation or factor",
                definition_zh="前者（反应）被后者（否定词或不确定因素）否定",
            ),
            "Hypothetical": TypeName(
                en="hypothetical reaction",
                zh="假设性反应",
                definition_en="the first, a reaction, is only possible, as the second, an animal, drug class or "
                "factor, tells",
                definition_zh="后者（动物、药物类别或不确定因素）说明前者（反应）只是可能的",
            ),
            "Effect": TypeName(
                en="severity of a reaction",
                zh="反应的严重程度",
                definition_en="the second is the severity of the first, a reaction",
                definition_zh="后者为前者（反应）的严重程度",
            ),
        },
        notes="The paper's list has the 101 labels for training alone; the 99 of the test were published with their "
        "answers after the challenge. Sections are set one line break apart. The list of reactions of a label gives "
        "its MedDRA codes to the mentions with the same words; a reaction without such a mention is rejected.",
    ),
)
