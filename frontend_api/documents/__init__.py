"""Certificates: portable files that anyone can check against the chain."""
