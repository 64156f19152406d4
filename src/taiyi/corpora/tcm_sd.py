"""TCM-SD: which syndrome of traditional Chinese medicine the record of a patient shows."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import labelled

# The 148 syndromes of the authors' vocabulary, to which the names that doctors wrote are normalised.
_SYNDROMES = {
    "气虚不摄证": "qi deficiency failing to contain", "气虚血瘀证": "qi deficiency with blood stasis",
    "湿热下注证": "dampness-heat pouring downward", "脾肾两虚证": "dual deficiency of spleen and kidney",
    "正虚瘀结证": "deficient healthy qi with binding stasis", "气滞血瘀证": "qi stagnation and blood stasis",
    "湿热蕴结证": "binding accumulation of dampness-heat", "湿热蕴毒证": "dampness-heat brewing toxin",
    "风痰瘀阻证": "obstruction by wind-phlegm and stasis", "湿热瘀阻证": "obstruction by dampness-heat and stasis",
    "阳虚水泛证": "yang deficiency with water flooding", "心脉痹阻证": "obstruction of the heart vessels",
    "肺肾气虚证": "lung and kidney qi deficiency", "痰瘀痹阻证": "obstruction by phlegm and stasis",
    "湿热阻络证": "dampness-heat obstructing the collaterals", "脾胃气虚证": "spleen and stomach qi deficiency",
    "肝胃郁热证": "constrained heat of liver and stomach", "肝胆湿热证": "liver and gallbladder dampness-heat",
    "肝阳上亢证": "ascendant hyperactivity of liver yang", "风痰入络证": "wind-phlegm entering the collaterals",
    "肝肾亏虚证": "liver and kidney depletion", "瘀血阻络证": "static blood obstructing the collaterals",
    "气血两虚证": "dual deficiency of qi and blood", "热毒蕴结证": "binding accumulation of heat toxin",
    "痰湿蕴肺证": "phlegm-dampness accumulating in the lung", "气虚证": "qi deficiency",
    "脾肾阳虚证": "spleen and kidney yang deficiency", "阴虚火旺证": "yin deficiency with effulgent fire",
    "肾虚证": "kidney deficiency", "肝郁气滞证": "liver constraint and qi stagnation",
    "痰浊上蒙证": "turbid phlegm clouding the head", "肾气虚证": "kidney qi deficiency",
    "阴虚血热证": "yin deficiency with blood heat", "风痰上扰证": "wind-phlegm harassing the upper body",
    "脾胃虚寒证": "deficiency cold of spleen and stomach", "气血瘀滞证": "stasis and stagnation of qi and blood",
    "痰热壅肺证": "phlegm-heat congesting the lung", "风寒袭肺证": "wind-cold assailing the lung",
    "气血亏虚证": "depletion of qi and blood", "气阴两虚证": "dual deficiency of qi and yin",
    "心虚胆怯证": "heart deficiency with timidity", "心肾不交证": "non-interaction of heart and kidney",
    "阴虚血瘀证": "yin deficiency with blood stasis", "阴虚阳亢证": "yin deficiency with yang hyperactivity",
    "痰浊蒙窍证": "turbid phlegm clouding the orifices", "肝气犯胃证": "liver qi invading the stomach",
    "脾胃阳虚证": "spleen and stomach yang deficiency", "肾虚水泛证": "kidney deficiency with water flooding",
    "肝阴不足证": "insufficiency of liver yin", "瘀阻心脉证": "stasis obstructing the heart vessels",
    "脾胃积热证": "accumulated heat of spleen and stomach", "脾胃虚弱证": "weakness of spleen and stomach",
    "肝肾阴虚证": "liver and kidney yin deficiency", "肝胃气滞证": "liver and stomach qi stagnation",
    "痰瘀滞络证": "phlegm and stasis stagnating in the collaterals", "痰湿证": "phlegm-dampness",
    "风寒外袭证": "external assault of wind-cold", "痰湿内阻证": "internal obstruction of phlegm-dampness",
    "痰浊内蕴证": "internal accumulation of turbid phlegm", "脾胃不和证": "disharmony of spleen and stomach",
    "痰瘀互结证": "binding of phlegm and stasis", "血热证": "blood heat",
    "肾虚肝亢证": "kidney deficiency with liver hyperactivity", "痰浊中阻证": "turbid phlegm obstructing the middle",
    "热毒炽盛证": "exuberant heat toxin", "瘀血阻滞证": "obstruction by static blood",
    "阴虚风动证": "yin deficiency with stirring wind", "血虚证": "blood deficiency",
    "正虚毒瘀证": "deficient healthy qi with toxin and stasis", "风寒袭表证": "wind-cold assailing the exterior",
    "脾肾气虚证": "spleen and kidney qi deficiency", "肝胃不和证": "disharmony of liver and stomach",
    "湿热内蕴证": "internal accumulation of dampness-heat", "痰火扰心证": "phlegm-fire harassing the heart",
    "血瘀痰凝证": "blood stasis and congealing phlegm", "痰湿蒙窍证": "phlegm-dampness clouding the orifices",
    "湿热瘀滞证": "stagnation of dampness-heat and stasis", "肝郁血瘀证": "liver constraint with blood stasis",
    "寒凝血瘀证": "congealing cold with blood stasis", "心肺气虚证": "heart and lung qi deficiency",
    "风寒阻络证": "wind-cold obstructing the collaterals", "血虚风燥证": "blood deficiency with wind-dryness",
    "脾虚湿蕴证": "spleen deficiency with accumulated dampness", "痰湿阻滞证": "stagnation of phlegm-dampness",
    "阳虚血瘀证": "yang deficiency with blood stasis", "气不摄血证": "qi failing to contain the blood",
    "气血不足证": "insufficiency of qi and blood", "肝郁脾虚证": "liver constraint and spleen deficiency",
    "肺卫不固证": "insecurity of lung and defence qi", "心血虚证": "heart blood deficiency",
    "痰湿中阻证": "phlegm-dampness obstructing the middle", "风湿热证": "wind-dampness-heat",
    "风热犯肺证": "wind-heat invading the lung", "痰蒙清窍证": "phlegm clouding the clear orifices",
    "风痰闭阻证": "blockage by wind-phlegm", "风寒痹阻证": "wind-cold impediment",
    "心阳不振证": "devitalised heart yang", "瘀血内阻证": "internal obstruction of static blood",
    "气滞痰凝证": "qi stagnation and congealing phlegm", "外伤损络证": "external injury damaging the collaterals",
    "正虚毒结证": "deficient healthy qi with binding toxin", "肝经湿热证": "dampness-heat of the liver channel",
    "痰气交阻证": "mutual obstruction of phlegm and qi", "髓海不足证": "insufficiency of the sea of marrow",
    "寒湿阻络证": "cold-dampness obstructing the collaterals", "肝肾亏损证": "detriment of liver and kidney",
    "津亏热结证": "fluid depletion with heat binding", "大肠湿热证": "large intestine dampness-heat",
    "风湿蕴肤证": "wind-dampness accumulating in the skin", "风寒湿痹证": "wind-cold-dampness impediment",
    "阳虚寒凝证": "yang deficiency with congealing cold", "气阴亏虚证": "depletion of qi and yin",
    "热毒蕴肤证": "heat toxin accumulating in the skin", "中气下陷证": "sinking of middle qi",
    "风热伤络证": "wind-heat damaging the collaterals", "气滞证": "qi stagnation",
    "风寒湿阻证": "wind-cold-dampness obstruction", "瘀滞胞宫证": "stasis in the uterus",
    "肝肾两虚证": "dual deficiency of liver and kidney", "风热外袭证": "external assault of wind-heat",
    "痰蒙神窍证": "phlegm clouding the mind", "热毒壅结证": "heat toxin congesting and binding",
    "气虚痰结证": "qi deficiency with phlegm binding", "风热袭表证": "wind-heat assailing the exterior",
    "肾虚寒凝证": "kidney deficiency with congealing cold", "风热毒蕴证": "accumulated wind-heat toxin",
    "中气不足证": "insufficiency of middle qi", "脾气虚证": "spleen qi deficiency",
    "风热血热证": "wind-heat with blood heat", "饮食积滞证": "food accumulation",
    "脾虚湿盛证": "spleen deficiency with exuberant dampness", "肺阴虚证": "lung yin deficiency",
    "阴虚湿热证": "yin deficiency with dampness-heat", "风痰闭窍证": "wind-phlegm blocking the orifices",
    "脾胃湿热证": "spleen and stomach dampness-heat", "阴虚津亏证": "yin deficiency with fluid depletion",
    "肾不纳气证": "kidney failing to receive qi", "心脾两虚证": "dual deficiency of heart and spleen",
    "气血失调证": "disorder of qi and blood", "痰热内扰证": "internal harassment of phlegm-heat",
    "气郁痰阻证": "qi constraint with phlegm obstruction", "肾阳虚证": "kidney yang deficiency",
    "湿毒蕴结证": "binding accumulation of dampness toxin", "肠燥津伤证": "intestinal dryness with fluid damage",
    "寒痰阻肺证": "cold phlegm obstructing the lung", "毒邪流窜证": "wandering toxin",
    "阳虚痰凝证": "yang deficiency with congealing phlegm", "气虚血溢证": "qi deficiency with spillage of blood",
}  # fmt: skip
_OPTIONS: dict[str, Any] = {
    "text_keys": ("chief_complaint", "description", "detection"),
    "label_key": "norm_syndrome",
}
_RAW = "https://raw.githubusercontent.com/Borororo/ZY-BERT/main/"

CORPORA = (
    Corpus(
        name="tcm_sd_tc",
        title="TCM-SD: syndrome differentiation of traditional Chinese medicine",
        langs=("zh",),
        tasks=("tc",),
        licence="CC-BY-NC-SA-4.0",
        access="open",
        homepage="https://github.com/Borororo/ZY-BERT",
        citation="Ren et al. TCM-SD: a benchmark for probing syndrome differentiation via natural language "
        "processing. CCL, 2022.",
        verified="fixture",
        sizes={"train": 43180, "dev": 5486, "test": 5486},
        unit="patient records",
        listed=Listed(lang="zh", number=28, task="TC", sizes={"train": 43180, "dev": 5486}),
        downloads=(
            Download(url=f"{_RAW}TCM_SD_train_dev.zip", path="", unpack=True),
            Download(url=f"{_RAW}test.json", path="test.json"),
        ),
        files={
            "train": (Source(path="TCM_SD_train_dev/train.json", read=labelled.read, options=_OPTIONS),),
            "dev": (Source(path="TCM_SD_train_dev/dev.json", read=labelled.read, options=_OPTIONS),),
            "test": (Source(path="test.json", read=labelled.read, options=_OPTIONS),),
        },
        counts={
            "train": {"records": 43180, "labelled": 43180},
            "dev": {"records": 5486, "labelled": 5486},
            "test": {"records": 5486, "labelled": 5486},
        },
        labels={zh: TypeName(en=en, zh=zh) for zh, en in _SYNDROMES.items()},
        notes="The text is the chief complaint, the history and the findings of the four examinations, a line each. "
        "The label is the normalised syndrome; the one that the doctor wrote and the disease are not read. Records "
        "are named by position. The test set, once hidden, has been published with its labels beside the other files; "
        "the paper does not list it. Tianchi has the corpus too (data set 139034, registration).",
    ),
)
