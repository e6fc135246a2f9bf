"""A demo city worth looking at: deterministic, marked as demo everywhere, made of the same rows and facts as a real
one.
"""

from server.demo.build import build
from server.demo.people import DEMO_ACCOUNTS, DEMO_PASSWORD, DemoAccount

__all__ = ["DEMO_ACCOUNTS", "DEMO_PASSWORD", "DemoAccount", "build"]
