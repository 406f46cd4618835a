# SPDX-License-Identifier: Apache-2.0
"""A program's wall clock, set while it runs (clock.c); nobody else's."""
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """.env is for the program's environment."""

    def __init__(self, folder):
        library, self.file = Path(folder) / "clock.so", Path(folder) / "clock-offset"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, SOURCE], check=True)
        self.jump_to(0)
        # The sanitizers' library would be first; what is here does not mind.
        self.env = {"LD_PRELOAD": str(library), "CLOCK_OFFSET_FILE": str(self.file),
                    "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def jump_to(self, seconds):
        """Where it is to be, beside the machine's."""
        self.file.write_text(f"{seconds}\n")
