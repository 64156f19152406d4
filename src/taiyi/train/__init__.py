"""Training: rows, packing, attention, loss, optimizer, loop; and the only room beside generate/ that imports torch."""

import logging
import os
import warnings

# Kernels that oneDNN keeps, a megabyte or two each; 1,024 unless it is told otherwise, when it is first used.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")

# bitsandbytes says on import that it has no kernels for some CPUs; it computes without them.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)

# PEFT reads this name of transformers, and the lowest transformers that we support has no other.
warnings.filterwarnings("ignore", r"`(is_)?gradient_checkpointing(_enable|_disable)?` is deprecated", FutureWarning)
