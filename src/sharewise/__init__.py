"""sharewise learns related things together, keeps apart what would hurt, and proves which is which."""

__version__ = "0.1.0"
