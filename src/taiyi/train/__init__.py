"""Training: rows, packing, attention, loss, optimizer, loop; and the only room beside generate/ that imports torch."""

import logging

# bitsandbytes says on import that it has no kernels for some CPUs; it computes without them.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
