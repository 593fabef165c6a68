"""Every notifier that there is keeps what `domain.ports.Notifier` promises, and one without a scene fails here."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from importlib.util import find_spec

import pytest

from incident_ops.adapters import notifiers
from incident_ops.adapters.notifiers import NotifierKind, Quiet, kinds, pagers
from incident_ops.errors import Ambiguous, NotSetUp, UserError, WriteFailed
from tests.support.notifier_scene import BREAKS_OFF, GONE, HANGS, REFUSES, TAKES, Scene, settings

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1", "::1"])
every_notifier = pytest.mark.parametrize(("name", "kind"), kinds(), ids=[name for name, _ in kinds()])


def scene(name: str, behaviour: str) -> AbstractContextManager[Scene]:
    """The scene of a notifier, from the test of its own."""
    place = f"tests.adapters.notifiers.test_{name}"
    assert find_spec(place), f"adapters/notifiers/{name}.py has no test: write {place.replace('.', '/')}.py"
    play: Callable[[str], AbstractContextManager[Scene]] | None = getattr(import_module(place), "scene", None)
    assert play is not None, f"{place} has no `scene`: see tests/support/notifier_scene.py"
    return play(behaviour)


@every_notifier
def test_it_declares_itself(name: str, kind: NotifierKind) -> None:
    """Names as a policy can write them, whether it takes pages back, and whether it makes texts harmless itself."""
    assert all(channel.isidentifier() for channel in kind.CHANNELS)
    assert isinstance(kind.TAKES_BACK, bool)
    assert isinstance(kind.ESCAPES, bool)


@every_notifier
def test_it_is_made_from_settings(name: str, kind: NotifierKind) -> None:
    """By its own `connect` and by the registry."""
    with scene(name, TAKES) as played:
        assert type(kind.connect(played.settings)) is type(played.notifier)
        made = notifiers.connect(played.settings)
        assert isinstance(made, Quiet) is not kind.ESCAPES
        assert type(made.inner if isinstance(made, Quiet) else made) is type(played.notifier)
        assert not kind.CHANNELS or played.settings.channel in kind.CHANNELS


@every_notifier
def test_a_message_arrives_once(name: str, kind: NotifierKind) -> None:
    """Taken: nothing is raised, and nothing is sent again."""
    with scene(name, TAKES) as played:
        played.notifier.send(played.message)
        assert played.arrived() == 1


@pytest.mark.slow
@every_notifier
@pytest.mark.parametrize(
    ("behaviour", "error"),
    [(REFUSES, WriteFailed), (GONE, WriteFailed), (HANGS, Ambiguous), (BREAKS_OFF, Ambiguous)],
)
def test_an_end_that_is_not_yes_is_an_error(
    name: str, kind: NotifierKind, behaviour: str, error: type[Exception], capfd: pytest.CaptureFixture[str]
) -> None:
    """Certain where it is certain; else nobody can tell. In time, sent once, and without the secret or the address."""
    with scene(name, behaviour) as played:
        began = time.monotonic()
        with pytest.raises(error) as caught:
            played.notifier.send(played.message)
        assert time.monotonic() - began < 5
        assert played.arrived() == (0 if behaviour == GONE else 1)
    shown = f"{caught.value} {caught.value!r} {getattr(caught.value, 'hint', '')}" + "".join(capfd.readouterr())
    assert played.secret not in shown
    assert "127.0.0.1" not in shown


@every_notifier
def test_its_settings_show_no_secret(name: str, kind: NotifierKind) -> None:
    """Nor does the notifier, in a traceback with locals or a debugger."""
    with scene(name, TAKES) as played:
        assert played.secret not in repr(played.settings) + repr(played.notifier)


def test_a_channel_without_an_address_is_an_error() -> None:
    """The variable is named; an empty one is none."""
    for environment in ({}, {"INCIDENT_OPS_CHANNEL_CHAT": "  "}):
        with pytest.raises(UserError, match="channel chat is not set up: set INCIDENT_OPS_CHANNEL_CHAT"):
            notifiers.connect(settings("chat", environment))


def test_a_pager_that_no_service_has_is_told_both_ways() -> None:
    """By a service's own key, or by an address like any other channel."""
    with pytest.raises(NotSetUp, match=r"set INCIDENT_OPS_CHANNEL_PAGER .*or pager_key_env of a service") as told:
        notifiers.connect(settings("pager", {}))
    assert told.value.channel == "pager"


def test_an_address_comes_first() -> None:
    """Also for a name that is reserved."""
    made = notifiers.connect(settings("pager", {"INCIDENT_OPS_CHANNEL_PAGER": "json://127.0.0.1:1/"}))
    assert isinstance(made, Quiet)
    assert type(made.inner).__module__.endswith(".apprise_channel")


def test_pages_are_taken_back_from_pagers_only() -> None:
    """Those that declare it, by every name that the policy may use for them."""
    assert {"pager", "pagerduty"} <= pagers()
    assert not {"ticket", "incident_channel", "chat"} & pagers()
