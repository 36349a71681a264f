"""Floor 6: the commands, as thin as they can be. Nothing heavy is imported before a command runs."""

from .main import main as main
