"""Public holidays of a country, from the `holidays` library: dates to read and commit, never asked at run time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from importlib.metadata import version
from typing import NamedTuple

from incident_ops.errors import UserError
from incident_ops.extras import demand


class Holiday(NamedTuple):
    """A day off. `is_observed` where it stands for a holiday that falls on another day, mostly a weekend."""

    day: date
    name: str
    is_observed: bool


class Holidays(NamedTuple):
    """The days of some years, sorted; `source` names the library and its version, its data change between releases."""

    country: str
    subdivision: str | None
    days: tuple[Holiday, ...]
    source: str


def public_holidays(country: str, subdivision: str | None, years: Sequence[int]) -> Holidays:
    """The public holidays of a country by its ISO 3166 code, or of a part of it, and the days off in their place.

    UserError names the nearest codes where one is unknown, and the years where the library knows none.
    """
    demand("calendars", "the list of public holidays", "holidays")
    import holidays

    code = country.strip().upper()
    known = holidays.list_supported_countries(include_aliases=True)
    if code not in known:
        near = get_close_matches(code, known, 3) or sorted(known)[:3]
        raise UserError(f"no holidays are known for {country!r}", hint=f"an ISO 3166 code, e.g. {', '.join(near)}")
    part = _subdivision(code, subdivision)
    english = "en_US" if "en_US" in holidays.country_holidays(code).supported_languages else None
    plain = holidays.country_holidays(code, subdiv=part, years=years, observed=False, language=english)
    observed = holidays.country_holidays(code, subdiv=part, years=years, observed=True, language=english)
    days = tuple(
        Holiday(day, _name(observed.get_list(day)), day not in plain) for day in sorted(observed) if day.year in years
    )
    empty = [year for year in years if not any(one.day.year == year for one in days)]
    if empty:
        raise UserError(
            f"no holidays are known for {code} in {empty[0]}", hint=f"{plain.start_year} to {plain.end_year}"
        )
    return Holidays(code, part, days, f"holidays {version('holidays')}")


def _subdivision(code: str, asked: str | None) -> str | None:
    import holidays

    if asked is None:
        return None
    entity = holidays.country_holidays(code)
    aliases = {
        **{one.casefold(): one for one in entity.subdivisions},
        **{name.casefold(): one for name, one in entity.subdivisions_aliases.items()},
    }
    found = aliases.get(asked.strip().casefold())
    if found is None:
        some = ", ".join(entity.subdivisions) if entity.subdivisions else "none"
        raise UserError(f"{code} has no part {asked!r} here", hint=f"known are: {some}")
    return found


def _name(names: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(" ".join(name.split()) for name in names))
