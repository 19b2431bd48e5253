"""`python3 scripts/world --serve`: a world that stays until standard input closes."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from world.world import main  # noqa: E402

main()
