# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""verdict.py - results of a checker, a line each as tests/run reads them, and its status."""
import sys

failed = 0


def expect(name, wanted, got):
    global failed
    if wanted == got:
        print("ok", name)
    else:
        failed += 1
        print("not ok %s: expected %.300r got %.300r" % (name, wanted, got))


def end():
    sys.exit(failed > 0)
