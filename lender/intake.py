"""The table behind a scoring model, as it comes: units, codes and gaps, each with its cause."""

import numpy as np
import pandas as pd

from lender.dealers import with_dealers
from lender.missing import hide
from lender.simulate import Ints, applications
from lender.truth import Floats, log_odds_of, sigmoid

NO_RECORD = 999  # what the bureau sends where it has no record of a person
RICH = 0.02  # share of applicants who own a business and earn 4 to 20 times as much
FORM_2 = 0.4  # share of birch's applications on its new form, which asks for the income a year
LOST = 0.03  # share of debt ratios, and of card uses, that a server lost by chance
SHY = 0.2  # expected share of incomes left out, low ones more often

COLUMNS = (
    "application_id",
    "applied_on",
    "label_on",
    "source",
    "partner",
    "shop",
    "purpose",
    "housing",
    "age",
    "income",
    "employment_years",
    "debt_ratio",
    "bureau_score",
    "open_accounts",
    "cards",
    "card_use",
    "loan_amount",
    "term_months",
    "defaulted",
    "true_pd",
    "true_income",
    "true_bureau_score",
)


def card_log_odds(cards: Ints, use: Floats) -> Floats:
    """What n numbers of cards, and shares of their limits in use, add to the log-odds of default.

    Nobody without a card has a use: there the first term is replaced by that of no card.
    """
    return np.where(cards > 0, 2.0 * (use - 0.4), 0.5)


def intake(n: int, seed: int, *, days: int = 1096, start: str = "2023-01-01") -> pd.DataFrame:
    """n applications over `days` days from `start`, as they lie in the lender's table.

    `income` (USD a month) is per year in the source `birch-2`, whatever its size, and truly high
    for a share RICH of all people. It is missing where people left it out: low incomes more often.
    `bureau_score` is NO_RECORD for the young and for those with few accounts, more often than for
    others. `card_use`, a share of the limit, is missing where there is no card (`cards` is 0), and
    by chance in a share LOST, as is `debt_ratio`. `employment_years` is missing more often at
    cedar. Half of the loans for a home are called `solar` in the last year of the table.

    Other columns as in `applications` and `with_dealers` (`shop`). `true_income` and
    `true_bureau_score` are in USD a month and in points; `true_pd` is the risk, which depends on
    them, on the card and on the shop. Returns COLUMNS by day.
    Raises ValueError for n or days below 1.
    """
    rng = np.random.default_rng([seed, 3])
    frame = applications(n, seed, days=days, start=start)
    rich = np.where(rng.random(n) < RICH, np.exp(rng.uniform(np.log(4), np.log(20), n)), 1)
    frame["true_income"] = np.round(frame["true_income"] * rich)
    cards = rng.binomial(frame["open_accounts"], 0.35)
    use = np.round(rng.beta(2, 3, n), 2)
    risk = log_odds_of(frame["true_pd"].to_numpy()) + card_log_odds(cards, use)
    frame["true_pd"] = sigmoid(risk - 0.35 * np.log(rich))  # the burden's part in the log-odds
    frame = with_dealers(frame, seed, dealers=400, spread=0.5).rename(columns={"dealer": "shop"})
    shown = hide(frame, "true_income", seed, by="true_income", share=SHY).frame["true_income"]
    form_2 = (frame["partner"] == "birch") & (rng.random(n) < FORM_2)
    late = frame["applied_on"] > frame["applied_on"].max() - pd.Timedelta(days=365)
    solar = (frame["purpose"] == "home") & late & (rng.random(n) < 0.5)
    frame = frame.assign(
        source=frame["partner"] + np.where(form_2, "-2", "-1"),
        purpose=frame["purpose"].mask(solar, "solar"),
        income=shown * np.where(form_2, 12, 1),
        bureau_score=frame["bureau_score"].fillna(NO_RECORD),
        debt_ratio=frame["debt_ratio"].mask(rng.random(n) < LOST),
        cards=cards,
        card_use=pd.Series(use).mask((cards == 0) | (rng.random(n) < LOST)),
    )
    return frame[list(COLUMNS)]
