"""Estimators that are no network: trees, linear models, and chains over any estimator."""
