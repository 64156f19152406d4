// Texts to begin with, written for this page.
const ENGLISH = "Severe liver injury was seen in two women who took isoniazid for lung tuberculosis. Their asthma had been treated with "
  + "prednisone, which may cause osteoporosis. Kidney failure was not seen, and TP53 was normal.";
const CHINESE = "患者因肺结核服用异烟肼后出现肝损伤，伴恶心、乏力。既往有支气管哮喘，长期吸入布地奈德。停药两周后转氨酶恢复正常，未见肾功能衰竭。";

export const EXAMPLES = {
  en: {
    entities: { text: ENGLISH },
    relations: { text: ENGLISH },
    events: { text: "Phosphorylation of STAT3 by JAK2 was blocked by the new compound, and expression of IL-6 fell in the treated cells." },
    labels: { text: "How long does a child stay contagious after the measles rash appears?", own_labels: "treatment\ncourse of a disease\nprevention\ncost" },
    pairs: { first: "Can I drink wine while I take metronidazole?", second: "Is alcohol allowed with metronidazole?", own_labels: "same\ndifferent" },
    choice: { question: "Which of these drugs is an antidote to paracetamol?", options: "acetylcysteine\ninsulin\nwarfarin\nomeprazole", context: "" },
    yes_no: {
      question: "Did the drug lower blood pressure?",
      context: "Sixty adults with hypertension took the drug or placebo for twelve weeks. Systolic pressure fell by 11 mmHg with the drug, and by 2 mmHg with placebo.",
    },
    question: { question: "What is the difference between type 1 and type 2 diabetes?", context: "" },
    translation: { text: "Prednisone may cause osteoporosis if it is taken for many months." },
    summary: { text: ENGLISH },
    title: { text: "Sixty adults with hypertension took the drug or placebo for twelve weeks. Systolic pressure fell by 11 mmHg with the drug, and by 2 mmHg with placebo." },
    report: { text: "Doctor: What brings you here?\nPatient: I have been coughing for three days, and have a fever since yesterday.\nDoctor: Any trouble in breathing?\nPatient: No." },
  },
  zh: {
    entities: { text: CHINESE },
    relations: { text: CHINESE },
    events: { text: "患者2月前行右肺癌根治术，术后病理示腺癌，术后化疗4周期，近日出现咳嗽、低热。" },
    labels: { text: "孩子出麻疹后多久没有传染性？", own_labels: "治疗方案\n疾病过程\n预防\n费用" },
    pairs: { first: "吃甲硝唑期间能喝红酒吗", second: "服用甲硝唑可以饮酒吗", own_labels: "相同\n不同" },
    choice: { question: "下列哪种药物是对乙酰氨基酚中毒的解毒剂？", options: "乙酰半胱氨酸\n胰岛素\n华法林\n奥美拉唑", context: "" },
    yes_no: { question: "该药能降低血压吗？", context: "60名高血压患者服用该药或安慰剂12周。服药组收缩压下降11 mmHg，安慰剂组下降2 mmHg。" },
    question: { question: "1型糖尿病和2型糖尿病有什么区别？", context: "" },
    translation: { text: "长期服用泼尼松可能引起骨质疏松。" },
    summary: { text: CHINESE },
    title: { text: "60名高血压患者服用该药或安慰剂12周。服药组收缩压下降11 mmHg，安慰剂组下降2 mmHg。" },
    report: { text: "医生：您好，哪里不舒服？\n患者：咳嗽三天了，昨天开始发烧。\n医生：有没有气喘？\n患者：没有。" },
  },
};
