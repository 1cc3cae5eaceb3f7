"""Tests of the build engine, seen from outside: exit codes, messages and what is in the store.

Each test has a checkout of its own (tree.py) with the real Makefile, scripts and sandbox, and tiny packages whose build
scripts just write files. tests/engine needs what a build needs, and nothing that was built before:

    /usr/bin/python3 -m pytest tests/engine
"""
