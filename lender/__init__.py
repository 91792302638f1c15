"""A simulated small online lender whose truth is known. See README.md, the simulator card."""

from lender import drift, labelers
from lender.model import score_model
from lender.simulate import (
    BUREAU_BIAS,
    CATEGORICAL,
    DAY_EFFECT,
    FEATURES,
    NUMERIC,
    PROTECTED,
    applications,
    observable,
)
from lender.truth import best_auc, default_log_odds, expected_auc
from lender.underwriting import UNFAIR_PENALTY, decisions, second_look

__all__ = [
    "BUREAU_BIAS",
    "CATEGORICAL",
    "DAY_EFFECT",
    "FEATURES",
    "NUMERIC",
    "PROTECTED",
    "UNFAIR_PENALTY",
    "applications",
    "best_auc",
    "decisions",
    "default_log_odds",
    "drift",
    "expected_auc",
    "labelers",
    "observable",
    "score_model",
    "second_look",
]
