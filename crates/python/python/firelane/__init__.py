"""Firelane for Python: recorded days, order books, encoders and spiking networks, with NumPy arrays.

- `firelane.itch`: recorded days of ITCH 5.0 into books and rows.
- `firelane.detect`: detectors over recorded days.
- `firelane.manipulation`: days with labelled manipulations, to train and to judge detectors.
- `firelane.encode`: from numbers to spikes.
- `firelane.spikes`: networks from files.
- `firelane.lava`: Lava's names for the same networks.
"""

from . import detect, encode, itch, manipulation, spikes
from ._firelane import __version__

__all__ = ["__version__", "detect", "encode", "itch", "manipulation", "spikes"]
