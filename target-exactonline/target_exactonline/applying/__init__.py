"""Carrying out plans: side by side across companies, in order within one."""
