"""One epoch by TRL's SFTTrainer as it comes, padded or packed. Run as a process of its own, in TRL's environment.

Run: python trl_sft.py FOLDER OUT.json full|qlora padded|packed [stored]

`stored` turns gradient checkpointing off, which is on as TRL comes.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
import trl
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from trl import SFTConfig, SFTTrainer
from workload import LORA


def main() -> None:
    folder, out, method, mode, *other = sys.argv[1:]
    made = json.loads((Path(folder) / "rows.json").read_bytes())
    rows = [{"input_ids": row["ids"], "labels": [-100] * row["prompt"] + row["ids"][row["prompt"] :]} for row in made]
    four_bit: dict[str, Any] = {"dtype": torch.float32}
    adapters: LoraConfig | None = None
    if method == "qlora":
        kind = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
        four_bit = {"dtype": torch.bfloat16, "quantization_config": kind}
        adapters = LoraConfig(
            r=LORA["r"],
            lora_alpha=LORA["alpha"],
            lora_dropout=LORA["dropout"],
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
    model = AutoModelForCausalLM.from_pretrained(Path(folder) / "model", **four_bit)
    tokenizer = AutoTokenizer.from_pretrained(Path(folder) / "model")
    # Two packed rows of 1,024 tokens are as many tokens as a micro-batch of Taiyi's has.
    ways: dict[str, dict[str, Any]] = {
        "padded": {"per_device_train_batch_size": 8},
        "packed": {"per_device_train_batch_size": 2, "packing": True, "packing_strategy": "bfd"},
    }
    with tempfile.TemporaryDirectory() as stage:
        config = SFTConfig(
            output_dir=stage,
            num_train_epochs=1,
            max_length=1024,
            bf16=True,
            use_cpu=not torch.cuda.is_available(),
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            include_num_input_tokens_seen="non_padding",
            **({"gradient_checkpointing": False} if other else {}),
            **ways[mode],
        )
        trainer = SFTTrainer(
            model=model,
            args=config,
            train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer,
            peft_config=adapters,
        )
        found = trainer.train()
    facts = {
        "seconds": found.metrics["train_runtime"],
        "steps": found.global_step,
        "tokens": int(trainer.state.num_input_tokens_seen),
        "peak_memory": torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0,
        "loss": found.training_loss,
        "version": trl.__version__,
        "torch": torch.__version__,
    }
    Path(out).write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
