"""Tests of rules: files beside the rules, run through the very same pipeline as production."""
