"""The table of routes: which listener answers what, and who may call it."""

from __future__ import annotations

import pytest

from pointsman.sources.http import routes
from pointsman.sources.http.routes import ROUTES, Caller, Listener, Route


def test_every_route_that_is_named_is_in_the_table() -> None:
    named = {value for value in vars(routes).values() if isinstance(value, Route)}

    assert named | set(routes.XAPI.values()) | set(routes.UI.values()) == set(ROUTES)
    assert len(ROUTES) == len(set(ROUTES))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.listener} {route.path}")
def test_what_operators_ask_is_on_their_listener_and_nothing_else_is(route: Route) -> None:
    public_without_credential = {routes.ABOUT, routes.HOME}

    if route.listener is Listener.PUBLIC:
        assert route.caller is not Caller.OPERATOR
        assert route.caller is not Caller.ANYBODY or route in public_without_credential
    else:
        assert route.caller in {Caller.OPERATOR, Caller.SIGNED_IN, Caller.ANYBODY}


def test_a_path_is_on_one_listener() -> None:
    public = {path for route in ROUTES if route.listener is Listener.PUBLIC for path in route.paths}
    operator = {
        path for route in ROUTES if route.listener is Listener.OPERATOR for path in route.paths
    }

    assert public & operator == {"/"}
