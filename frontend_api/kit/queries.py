"""Query parameters that a route does not have: `?dryrun=true` must not store what `?dryRun=true` would only judge."""

from __future__ import annotations

from difflib import get_close_matches

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute

from ..errors import InvalidInput


def require_known_query(request: Request) -> None:
    """Refuse what the route would leave unread. A dependency of the whole application; the pages take what they like."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not route.include_in_schema:
        return
    known = sorted(field.alias for field in get_flat_params(route.dependant) if isinstance(field.field_info, Query))
    errors = [
        {"field": f"query.{name[:80]}", "rule": _rule(name, known)}
        for name in dict.fromkeys(request.query_params)
        if name not in known
    ]
    if errors:
        raise InvalidInput("; ".join(f"{e['field']}: {e['rule']}" for e in errors[:5]), errors=errors[:20])


def _rule(name: str, known: list[str]) -> str:
    if not known:
        return "there is no such parameter; this request takes none"
    by_lower = {each.lower(): each for each in known}
    if near := get_close_matches(name.lower(), by_lower, 1, 0.7):
        return f"there is no such parameter; did you mean {by_lower[near[0]]}?"
    return f"there is no such parameter; there are {', '.join(known)}"
