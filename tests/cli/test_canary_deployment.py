"""`canary run --deployment`: the verdict where a deployment is looked at; only a pass is a success there."""

from __future__ import annotations

import pytest

from tests.cli.canary_scene import POLICY, Source, gate, stage, write
from tests.cli.scene import Folder, call
from tests.github.gate import Gate, gated
from tests.support.scripted_server import Reply, scripted_server

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])


@pytest.mark.parametrize(
    ("factor", "refused", "code", "state"),
    [(1.0, False, 0, "success"), (5.0, False, 1, "failure"), (5.0, True, 1, "failure"), (1.0, True, 0, "success")],
)
def test_a_deployment_is_told_the_verdict_and_never_changes_it(
    make: type[Folder], monkeypatch: pytest.MonkeyPatch, factor: float, refused: bool, code: int, state: str
) -> None:
    """Where GitHub refuses the status it is said, and the exit code is still the verdict's."""
    here = make("repo", policy=POLICY)
    here.commit()
    with scripted_server() as server, gated(Gate(), server.url, answers=False) as asked:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_TOKEN", "ghs_test")
        monkeypatch.setenv("GITHUB_REPOSITORY", "acme/shop")
        server.script(Reply(403, {"message": "no"}) if refused else Reply(201, {"id": 1}))
        stage(monkeypatch, Source(factor))
        name = write(here.path, gate())
        done = call("canary", "run", "-f", name, "--deployment", "7", at=here.path, clock=None)
    asked.must_be_clean()
    assert done.code == code
    assert server.lines == ["POST /repos/acme/shop/deployments/7/statuses"]
    assert server.asked[0].body["state"] == state
    assert ("deployment 7 was not updated" in done.err) is refused
    assert "ghs_test" not in done.out + done.err
