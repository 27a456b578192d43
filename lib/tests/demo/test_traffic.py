from datetime import date

import pytest

from shokubai.demo import traffic
from shokubai.demo.events import NOTHING
from shokubai.demo.organization import BY_NAME


@pytest.mark.parametrize(
    ("day", "factor"),
    [
        (date(2026, 10, 21), 1.0),  # a Wednesday
        (date(2026, 10, 30), 2.0 * 0.95),  # the last business day, a Friday
        (date(2026, 10, 28), 1.55),  # the third last business day, a Wednesday
        (date(2026, 9, 30), 2.0),  # the last business day of September, a Wednesday
        (date(2026, 10, 1), 1.7 * 0.99),  # the first business day, a Thursday
        (date(2026, 10, 20), 1.12 * 1.02),  # 五十日, a Tuesday
        (date(2026, 10, 26), 1.12 * 1.06),  # the Monday that stands in for Sunday the 25th
        (date(2026, 10, 25), 0.09),  # Sunday
        (date(2026, 10, 12), 0.09),  # Sports Day, a Monday
        (date(2026, 9, 22), 0.09),  # between two public holidays
        (date(2026, 8, 13), 0.65 * 0.99),  # Obon, a Thursday
    ],
)
def test_days_of_the_invoice_product(day, factor):
    assert traffic.day_factor(BY_NAME["invoice-api"], day) == pytest.approx(factor)


def test_manila_keeps_its_own_holidays():
    assert traffic.day_factor(BY_NAME["support-console"], date(2026, 8, 31)) == 0.40  # National Heroes Day
    assert traffic.day_factor(BY_NAME["support-console"], date(2026, 10, 12)) > 0.9  # a holiday in Japan only


def test_expected_requests_add_up_to_the_rows_asked_for():
    small, large = (traffic.plan(NOTHING, rows=rows, seed=1).counts.sum() for rows in (200_000, 400_000))
    assert small == pytest.approx(200_000, rel=0.01)
    assert large == pytest.approx(400_000, rel=0.01)
