"""Threads of a server share heaps: each would keep what the largest clip took in it."""

import platform
import subprocess
import sys

import pytest

from hailuo_mcp.server.http import heaps as heaps_module
from hailuo_mcp.server.http import serving

IN_THREADS = """
import runpy, sys, threading

runpy.run_path(sys.argv[1])["limit_heaps"]()
together = threading.Barrier(9)
def allocate():
    kept = bytearray(100_000)
    together.wait()
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads: thread.start()
together.wait()
starts = [line.split("-")[0] for line in open("/proc/self/maps") if " rw-p 00000000 00:00 0" in line]
print(sum(int(start, 16) % (64 << 20) == 0 for start in starts))  # glibc aligns threads' heaps so
together.wait()
"""


LARGE_TWICE = """
import ctypes, runpy, sys

runpy.run_path(sys.argv[1])["limit_heaps"]()
bytearray(4 << 20)  # once freed, its size would be what glibc takes for small from then on
kept = bytearray(4 << 20)
at = ctypes.addressof(ctypes.c_char.from_buffer(kept))
heap = next(line.split()[0] for line in open("/proc/self/maps") if line.rstrip().endswith("[heap]"))
first, end = (int(it, 16) for it in heap.split("-"))
print(first <= at < end)
"""
only_glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc has such heaps"
)


@only_glibc
def test_a_large_block_is_never_in_a_heap_where_it_would_be_kept():
    done = subprocess.run(
        [sys.executable, "-S", "-c", LARGE_TWICE, heaps_module.__file__],
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


@only_glibc
@pytest.mark.parametrize(("variable", "heaps"), [({}, range(2)), ({"MALLOC_ARENA_MAX": "6"}, (5,))])
def test_eight_threads_share_two_heaps_unless_the_operator_says_otherwise(variable, heaps):
    done = subprocess.run(
        [sys.executable, "-S", "-c", IN_THREADS, heaps_module.__file__],
        env=variable,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) in heaps


def test_a_server_limits_them_before_it_starts(monkeypatch):
    steps = []

    class Served:
        def __init__(self, *_):
            steps.append("server")

        def run(self):
            steps.append("run")

    monkeypatch.setattr(serving, "limit_heaps", lambda: steps.append("heaps"))
    monkeypatch.setattr(serving, "AppServer", Served)
    serving._serve(None, "127.0.0.1", 0, print)

    assert steps == ["heaps", "server", "run"]
