"""The one-machine stack: stand-ins for the services the integration talks to, and the demo; and `make deploy`."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache"
"""The folder for downloads and logs; not under version control."""

# As Lambda lays it out: the layer's packages, then the functions. An installed package comes first.
sys.path.extend(
    str(ROOT / part) for part in ("layers/bridge", "functions") if str(ROOT / part) not in sys.path
)
