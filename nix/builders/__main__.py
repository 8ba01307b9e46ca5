"""Entry of every builder: ``python -I <directory of builders> <program>``. Runs inside a Nix build."""

import runpy
import sys

if __name__ == "__main__":
    program = sys.argv.pop(1)
    runpy.run_module(program, run_name="__main__", alter_sys=True)
