"""Made-up histories of coupons, the same every time, against a model of what the vendor documents of their life."""

from dataclasses import dataclass
from typing import Any, ClassVar

from crowdtwist_calls import DAY, LISTED, advance, ask_list, freeze, redeem, unuse, use
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from running_mock import Mock

MEMBERS = ("alice", "bob", "carol", "erin")
REWARDS = ("five", "birthday", "sold_out")
CODES = st.sampled_from(
    [
        *("FIVE-0001", "FIVE-0002", "FIVE-0003", "FIVE-0004", "FIVE-0005", "BIRTHDAY-0001", "BIRTHDAY-0002"),
        *("ACC58191285", "FOREVER-2024", "LAST-DAY-77", "BOB-TEN-1", "JDSI2JE", "OLD-ISSUED-1", "OLD-USED-1"),
        *("ERIN-USED-1", "FRESH-0001"),
    ]
)
"""Coupons of every state; the first seven can be redeemed."""
ORDER_NUMBERS = {"redeem_order_id", "redeem_order_coupon_id"}
HISTORIES = 30
STEPS = 25


@dataclass
class Coupon:
    """What the model knows of a coupon."""

    state: str
    owner: str | None
    members: dict[str, Any]

    def is_expired(self, now: int) -> bool:
        """Tell whether its date has passed."""
        expires = self.members["date_to_expire"]
        return expires is not None and expires <= now


class LifeCycle(RuleBasedStateMachine):
    """Generated, issued by a redemption, used, issued again by an unuse; expired when its date has passed."""

    server: ClassVar[Mock]

    def __init__(self) -> None:
        """Begin in a new world, whose time stands still unless it is moved."""
        super().__init__()
        self.mock = self.server.new_world()
        self.now = freeze(self.mock)
        self.seeded = self.mock.bindings("crowdtwist")
        self.points = {name: self.seeded[f"member.{name}"].get("points_balance", 0) for name in MEMBERS}
        self.coupons = {
            members["code"]: Coupon(members["state"], members.get("owner"), members)
            for handle, members in self.seeded.items()
            if handle.startswith("coupon.") and members["client"] == "sunshine"
        }
        self.numbers = {coupon.members.get("redeem_order_coupon_id") for coupon in self.coupons.values()}

    @rule(code=CODES)
    def use(self, code: str) -> None:
        """Only an issued coupon whose date has not passed can be used."""
        coupon = self.coupons[code]
        expected = {"generated": "not_issued", "used": "already_used", "issued": "used"}[coupon.state]
        if expected == "used" and coupon.is_expired(self.now):
            expected = "expired"
        assert use(self.mock, code).example == expected
        if expected == "used":
            coupon.state = "used"

    @rule(code=CODES)
    def unuse(self, code: str) -> None:
        """Only a used coupon can be unused, whatever its date."""
        coupon = self.coupons[code]
        expected = {"generated": "not_issued", "issued": "not_used", "used": "unused"}[coupon.state]
        assert unuse(self.mock, code).example == expected
        if expected == "unused":
            coupon.state = "issued"

    @rule(member=st.sampled_from(MEMBERS), reward=st.sampled_from(REWARDS), quantity=st.integers(1, 3))
    def redeem(self, member: str, reward: str, quantity: int) -> None:
        """A member with points enough gets the next generated coupons of a reward that has as many left."""
        rules = self.seeded[f"reward.{reward}"]
        cost = quantity * rules["points_to_redeem"]
        left = [
            code
            for code, coupon in sorted(self.coupons.items())
            if coupon.state == "generated" and coupon.members.get("reward_id") == int(rules["id"])
        ]
        answer = redeem(self.mock, self.seeded[f"member.{member}"]["id"], rules["id"], quantity)
        if cost > self.points[member]:
            assert answer.example == "not_enough_points"
            return
        if quantity > len(left):
            assert answer.example == "no_coupons_left"
            return
        codes = [coupon["code"] for coupon in answer.json["coupons"]]
        assert codes == left[:quantity]
        self.points[member] -= cost
        days = rules["coupon_category_expiration_days"]
        for code in codes:
            coupon = self.coupons[code]
            coupon.state, coupon.owner = "issued", member
            coupon.members = {
                **coupon.members,
                "reward_title": rules["title"],
                "total_points_redeemed": cost,
                "ending_balance": self.points[member],
                "quantity": quantity,
                "coupon_category_id": rules["coupon_category_id"],
                "coupon_category_name": rules["coupon_category_name"],
                "coupon_category_expiration_days": days,
                "date_to_expire": None if days is None else self.now + days * DAY,
                "order_date_created": self.now,
            }
        self.learn_numbers(member, codes)

    def learn_numbers(self, member: str, codes: list[str]) -> None:
        """Take the order's numbers from the list; from now on they must stay."""
        listed = {coupon["code"]: coupon for coupon in ask_list(self.mock, self.id_of(member)).json}
        assert len({listed[code]["redeem_order_id"] for code in codes}) == 1
        for code in codes:
            number = listed[code]["redeem_order_coupon_id"]
            assert number not in self.numbers
            self.numbers.add(number)
            self.coupons[code].members |= {name: listed[code][name] for name in ORDER_NUMBERS}

    @rule(days=st.integers(0, 40))
    def wait(self, days: int) -> None:
        """Time passes."""
        advance(self.mock, f"{days}d")
        self.now += days * DAY

    @rule(member=st.sampled_from(MEMBERS))
    def list(self, member: str) -> None:
        """A member's list has exactly what is theirs, not used and not expired, with every member as it was issued."""
        owned = [coupon for coupon in self.coupons.values() if coupon.owner == member]
        answer = ask_list(self.mock, self.id_of(member))
        if not owned:
            assert answer.example == "no_activities"
            return
        usable = [coupon for coupon in owned if coupon.state == "issued" and not coupon.is_expired(self.now)]
        assert answer.example == ("usable_coupons" if usable else "none_usable")
        wanted = {coupon.members["code"]: {name: coupon.members[name] for name in LISTED} for coupon in usable}
        assert {coupon["code"]: coupon for coupon in answer.json} == wanted

    def id_of(self, member: str) -> str:
        """Return a member's CrowdTwist id."""
        found: str = self.seeded[f"member.{member}"]["id"]
        return found

    def teardown(self) -> None:
        """Every list is right in the end; then the world is given up."""
        for member in MEMBERS:
            self.list(member)
        self.mock.admin("DELETE", f"/namespaces/{self.mock.namespace}")


def test_coupons_live_as_the_model_says(server: Mock) -> None:
    """Thirty histories of redeeming, using, unusing, waiting and listing."""
    run_state_machine_as_test(
        type("LifeCycleHere", (LifeCycle,), {"server": server}),
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
