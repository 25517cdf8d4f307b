"""A judge that lets everything pass would be worth nothing."""

import pytest

from judge import Command, Request, admitted_after_confirmation, lost_commands, most_in_any_minute, over_the_limit

pytestmark = pytest.mark.short


def admitted(sent, answered=None, key="k"):
    return Request(sent, sent + 0.001 if answered is None else answered, "r", key, 200, "")


def disable(sent, answered, status=200, state="confirmed", key="k"):
    return Command(sent, answered, key, True, status, state)


def enable(sent, answered, status=200, key="k"):
    return Command(sent, answered, key, False, status)


def test_a_minute_is_any_interval_of_sixty_seconds():
    assert most_in_any_minute([]) == 0
    assert most_in_any_minute([admitted(0), admitted(59.9), admitted(60.1)]) == 2
    assert most_in_any_minute([admitted(0), admitted(30), admitted(59)]) == 3
    assert most_in_any_minute([admitted(0), admitted(60.5), admitted(61)]) == 2


def test_who_may_have_been_admitted_outside_is_not_counted():
    late = admitted(1, answered=61.5)  # perhaps admitted at 61.4
    assert most_in_any_minute([admitted(0.5), late]) == 1
    early = admitted(0, answered=20)  # perhaps at 0.1, out of the minute that begins at 10
    assert most_in_any_minute([early, admitted(10), admitted(69)]) == 2


def test_one_too_many_is_seen():
    requests = [admitted(t) for t in (0, 10, 20)]
    assert over_the_limit(requests, {"k": 3}) == {}
    assert over_the_limit(requests, {"k": 2}) == {"k": (3, 2)}
    refused = [Request(5, 5.1, "r", "k", 429, "rate-limited")] * 9
    assert over_the_limit(requests + refused, {"k": 3}) == {}


def test_an_admission_sent_after_a_confirmation_is_seen():
    commands = [disable(1, 2), enable(5, 6)]
    assert not admitted_after_confirmation([admitted(0.5), admitted(1.9, 2.5), admitted(5.1), admitted(3, key="other")], commands)
    assert [r.sent for _, r in admitted_after_confirmation([admitted(2.1), admitted(4.9)], commands)] == [2.1, 4.9]
    assert len(admitted_after_confirmation([admitted(99)], [disable(1, 2)])) == 1


def test_what_was_not_confirmed_promises_nothing():
    for status, state in ((202, "pending"), (202, "unknown"), (503, ""), (0, "")):
        assert not admitted_after_confirmation([admitted(3)], [disable(1, 2, status, state)])


def test_an_acknowledged_command_that_the_store_does_not_have_is_lost():
    assert lost_commands([disable(1, 2)], {"k": True}) == {}
    assert lost_commands([disable(1, 2)], {"k": False}) == {"k": False}
    assert lost_commands([disable(1, 2, 202, "pending")], {"k": False}) == {"k": False}
    assert lost_commands([disable(1, 2), enable(3, 4)], {"k": True}) == {"k": True}


def test_a_command_of_unknown_outcome_may_be_there_or_not():
    for status in (0, 503):
        assert lost_commands([disable(1, 2), enable(3, 4, status)], {"k": True}) == {}
        assert lost_commands([disable(1, 2), enable(3, 4, status)], {"k": False}) == {}
    assert lost_commands([disable(1, 2, 503)], {"k": False}) == {}
