"""Many clients at once, answered by two worker processes: every change happens exactly once."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

from crowdtwist_calls import redeem, usable, use
from running_mock import Answer, Mock

RIVALS = 16
WELCOME, ONCE, UNLIMITED, LAST_ONE = (f"2023144542416547{number}" for number in (11, 14, 13, 16))
STOCK = 20


def at_once(calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """Make the calls from as many threads, all at the same moment as far as that can be had."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Answer]) -> Answer:
        start.wait(timeout=30)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def unuse(mock: Mock, code: str) -> Answer:
    """Unuse a coupon."""
    return mock.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": code})


def receive(mock: Mock, customer: str, *ids: str) -> Answer:
    """Receive coupons."""
    body = {"customer_id": customer, "coupon_ids": [*ids]}
    return mock.post("/openapi/2022-01/coupons/receive", body, {"access-token": "sunny-token"})


def test_a_coupon_unused_by_many_at_once_is_unused_once(mock: Mock) -> None:
    """One succeeds; everyone else learns that it is not used."""
    answers = at_once([partial(unuse, mock, "JDSI2JE")] * RIVALS)
    assert Counter(answer.example for answer in answers) == {"unused": 1, "not_used": RIVALS - 1}


def test_different_coupons_unused_at_once_are_all_unused(mock: Mock) -> None:
    """No change is lost."""
    codes = ["JDSI2JE", "JDSI2JF", "BOB-USED-1", "OLD-USED-1", "ERIN-USED-1", "ERIN-USED-2", "ERIN-USED-3"]
    first = at_once([partial(unuse, mock, code) for code in codes])
    assert [answer.example for answer in first] == ["unused"] * len(codes)
    assert [unuse(mock, code).example for code in codes] == ["not_used"] * len(codes)


def test_a_reward_redeemed_by_many_at_once_gives_each_of_its_coupons_once(mock: Mock) -> None:
    """Five coupons are left and twenty ask: five orders, each with a coupon, a number and a balance of its own."""
    answers = at_once([partial(redeem, mock, "1001", "127817")] * 20)
    assert Counter(answer.example for answer in answers) == {"redeemed": 5, "no_coupons_left": 15}
    codes = [coupon["code"] for answer in answers if answer.status == 200 for coupon in answer.json["coupons"]]
    assert sorted(codes) == [f"FIVE-000{number}" for number in range(1, 6)]
    listed = [coupon for coupon in usable(mock, "1001") if coupon["code"] in codes]
    for name in ("redeem_order_id", "redeem_order_coupon_id", "ending_balance"):
        assert len({coupon[name] for coupon in listed}) == 5
    assert min(coupon["ending_balance"] for coupon in listed) == 1000 - 5 * 50


def test_a_coupon_used_by_many_at_once_is_used_once(mock: Mock) -> None:
    """One succeeds; everyone else learns that it is used."""
    answers = at_once([partial(use, mock, "ACC58191285")] * RIVALS)
    assert Counter(answer.example for answer in answers) == {"used": 1, "already_used": RIVALS - 1}


def test_receiving_at_once_never_passes_the_stock(mock: Mock) -> None:
    """Twenty in stock, twenty-four ask: twenty receive, the stock goes down by one for each, and nobody gets a 5xx."""
    customers = ["5001", "5002", "5003"] * 8
    answers = at_once([partial(receive, mock, customer, WELCOME) for customer in customers])
    assert {answer.status for answer in answers} == {200}
    codes = Counter(answer.json["status"] for answer in answers)
    assert codes == {0: STOCK, 8: len(customers) - STOCK}
    stocks = [answer.json["items"][0]["stock"] for answer in answers if answer.json["status"] == 0]
    assert sorted(stocks) == list(range(STOCK))
    counts = [
        receive(mock, customer, WELCOME).json["items"][0]["received_count"] for customer in ("5001", "5002", "5003")
    ]
    assert sum(counts) == STOCK


def test_the_last_coupon_goes_to_one_of_many(mock: Mock) -> None:
    """The others are told that there is none left."""
    answers = at_once([partial(receive, mock, "5001", LAST_ONE)] * RIVALS)
    assert Counter(answer.json["status"] for answer in answers) == {0: 1, 8: RIVALS - 1}


def test_a_coupon_for_once_is_received_once_by_a_customer_who_asks_many_times_at_once(mock: Mock) -> None:
    """The limit per customer holds."""
    answers = at_once([partial(receive, mock, "5002", ONCE)] * RIVALS)
    assert Counter(answer.json["status"] for answer in answers) == {0: 1, 7: RIVALS - 1}


def test_coupons_named_in_opposite_orders_at_once_do_not_block_each_other(mock: Mock) -> None:
    """Half of the clients ask for one and then the other, half the other way round; all are served."""
    orders = [(WELCOME, UNLIMITED), (UNLIMITED, WELCOME)] * 8
    answers = at_once([partial(receive, mock, "5003", *ids) for ids in orders])
    assert [answer.status for answer in answers] == [200] * len(orders)
    counts = sorted(item["received_count"] for a in answers for item in a.json["items"] if item["id"] == UNLIMITED)
    assert counts == list(range(1, len(orders) + 1))


def test_a_namespace_first_used_by_many_at_once_is_one_world(server: Mock) -> None:
    """Nobody made it before; all of them meet in it."""
    fresh = server.within("made-by-its-first-use-" + (server.new_world().namespace or "")[-8:])
    answers = at_once([partial(unuse, fresh, "JDSI2JE")] * RIVALS)
    assert Counter(answer.example for answer in answers) == {"unused": 1, "not_used": RIVALS - 1}


def test_a_name_claimed_by_many_at_once_is_given_once(server: Mock) -> None:
    """One creates the namespace, the others are told that it is there."""
    name = f"claimed-{(server.new_world().namespace or '')[-8:]}"
    answers = at_once([partial(server.admin, "POST", "/namespaces", {"name": name})] * RIVALS)
    assert Counter(answer.status for answer in answers) == {201: 1, 409: RIVALS - 1}
