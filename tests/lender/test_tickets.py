"""Customers fit their applications, and the truth of a ticket says where its mentions are."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import lender
from lender.tickets import AREA_CODES, DECOYS, KINDS, LINES, ODD, customers, tickets


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return customers(lender.applications(3_000, seed=1), seed=2)


@pytest.fixture(scope="module")
def written(people: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return tickets(people, 2_000, seed=3)


def test_identifiers_are_unique_and_names_are_not(people: pd.DataFrame) -> None:
    for column in ("customer_id", "email", "phone", "tax_number", "card", "account"):
        assert people[column].is_unique, column
    assert people["name"].duplicated().any()
    assert people["area"].value_counts().iloc[0] > 30


def test_birth_dates_fit_the_age_at_the_application() -> None:
    applications = lender.applications(3_000, seed=1)
    people = customers(applications, seed=2)
    years = (applications["applied_on"] - people["born"]).dt.days / 365.25
    assert (np.floor(years + 0.003) == applications["age"]).all()


def test_cards_and_accounts_pass_their_checks(people: pd.DataFrame) -> None:
    for card in people["card"]:
        digits = [int(d) for d in card[::-1]]
        assert sum(digits[::2] + [sum(divmod(2 * d, 10)) for d in digits[1::2]]) % 10 == 0
    for account in people["account"]:
        assert len(account) == 22
        assert int(account[4:] + "1314" + account[2:4]) % 97 == 1


def test_tax_numbers_have_a_form_that_is_never_issued(people: pd.DataFrame) -> None:
    assert people["tax_number"].str.fullmatch(r"9\d{8}").all()
    assert people["tax_number"].str[3:5].astype(int).between(1, 49).all()
    assert (people["tax_number"].str[5:] != "0000").all()


def test_more_customers_than_telephone_numbers_are_refused() -> None:
    many = pd.DataFrame(index=range(len(AREA_CODES) * LINES + 1))
    with pytest.raises(ValueError, match="telephone numbers"):
        customers(many, seed=1)


def test_each_mention_stands_where_the_truth_says(
    written: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    frame, truth = written
    text = frame.set_index("ticket_id")["text"]
    said = [text[row.ticket_id][row.start : row.end] for row in truth.itertuples()]
    assert said == truth["said"].tolist()
    assert set(truth["kind"]) == set(KINDS)
    assert truth["form"].eq("odd").mean() == pytest.approx(ODD, abs=0.03)
    assert truth.equals(truth.sort_values(["ticket_id", "start"]))


def test_mentions_are_those_of_the_customer(
    people: pd.DataFrame, written: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    frame, truth = written
    person = people.set_index("customer_id")
    rows = truth.merge(frame, on="ticket_id")
    digits = rows[rows["kind"].isin(["phone", "card", "tax_number"])]
    for row in digits.itertuples():
        said = "".join(c for c in row.said if c.isdigit())
        assert said == person.at[row.customer_id, row.kind]
    for row in rows[rows["kind"] == "story"].itertuples():
        assert row.said.endswith(person.at[row.customer_id, "area"])


def test_nothing_but_mentions_comes_from_the_customer(
    people: pd.DataFrame, written: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    frame, truth = written
    for ticket, text in zip(frame["ticket_id"], frame["text"], strict=True):
        mine = truth[truth["ticket_id"] == ticket].sort_values("start", ascending=False)
        for row in mine.itertuples():
            text = text[: row.start] + text[row.end :]
        customer = frame.at[ticket, "customer_id"]
        person = people[people["customer_id"] == customer].iloc[0]
        assert not any(str(person[c]) in text for c in ("name", "email", "card", "tax_number"))


def test_decoys_occur(written: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    text = written[0]["text"]
    assert len(DECOYS) == 4
    for word in ("payment of", "reference", "tracking number", "version"):
        assert text.str.contains(f"{word} \\d").any(), word


def test_one_seed_gives_the_same_tickets(people: pd.DataFrame) -> None:
    for one, other in zip(tickets(people, 50, 4), tickets(people, 50, 4), strict=True):
        assert_frame_equal(one, other)
    assert not tickets(people, 50, 4)[0].equals(tickets(people, 50, 5)[0])
