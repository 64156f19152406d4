"""One epoch by LLaMA-Factory's SFT, padded or packed. Run as a process of its own, in LLaMA-Factory's environment.

Run: python llama_factory.py FOLDER OUT.json full|qlora padded|packed [stored]

`stored` turns gradient checkpointing off, which is on as LLaMA-Factory comes.
"""

from __future__ import annotations

import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from llamafactory.train.tuner import run_exp
from transformers import TrainerCallback
from workload import LORA


class Counted(TrainerCallback):
    """Counts the tokens of an epoch that are no padding; the trainer's own count takes packed rows' masks for sizes."""

    tokens = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        padding = kwargs["processing_class"].pad_token_id
        rows = kwargs["train_dataloader"].dataset
        self.tokens = sum(token != padding for row in rows for token in row["input_ids"])


def main() -> None:
    folder, out, method, mode, *other = sys.argv[1:]
    data = Path(folder).resolve()
    ways: dict[str, dict[str, Any]] = {
        "padded": {"per_device_train_batch_size": 8},
        # Packed rows that do not see each other; a block mask where there is no flash attention.
        "packed": {"per_device_train_batch_size": 2, "packing": True, "neat_packing": True},
    }
    methods: dict[str, dict[str, Any]] = {
        "full": {"finetuning_type": "full"},
        "qlora": {
            "finetuning_type": "lora",
            "quantization_bit": 4,
            "double_quantization": True,
            "lora_rank": LORA["r"],
            "lora_alpha": LORA["alpha"],
            "lora_dropout": LORA["dropout"],
            "lora_target": "all",
        },
    }
    counted = Counted()
    with tempfile.TemporaryDirectory() as stage:
        (Path(stage) / "dataset_info.json").write_text(json.dumps({"rows": {"file_name": str(data / "texts.json")}}))
        run_exp(
            {
                "stage": "sft",
                "do_train": True,
                "model_name_or_path": str(data / "model"),
                "dataset": "rows",
                "dataset_dir": stage,
                # The empty template adds no token to the rows.
                "template": "empty",
                "cutoff_len": 1024,
                "overwrite_cache": True,
                "output_dir": f"{stage}/out",
                "num_train_epochs": 1,
                "bf16": True,
                "use_cpu": not torch.cuda.is_available(),
                "save_strategy": "no",
                "report_to": "none",
                "disable_tqdm": True,
                "disable_gradient_checkpointing": bool(other),
                **ways[mode],
                **methods[method],
            },
            callbacks=[counted],
        )
        found = json.loads((Path(stage) / "out" / "train_results.json").read_bytes())
        state = json.loads((Path(stage) / "out" / "trainer_state.json").read_bytes())
    facts = {
        "seconds": found["train_runtime"],
        "steps": state["global_step"],
        "tokens": counted.tokens,
        "peak_memory": torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0,
        "loss": found["train_loss"],
        "version": version("llamafactory"),
        "torch": torch.__version__,
    }
    Path(out).write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
